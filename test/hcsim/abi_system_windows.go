package main

import "C"

// onSystem submits a call about a system.
func onSystem(name string, h, op uintptr, document string, call func(*system) (string, error)) int32 {
	s, err := systemOf(h)
	if err != nil {
		return result(err)
	}
	note(name, s.id, document)
	return result(begin(op, func(*operation) (string, error) { return call(s) }))
}

// onProcess submits a call about a process.
func onProcess(name string, h, op uintptr, document string, call func(*process) (string, error)) int32 {
	p, err := processOf(h)
	if err != nil {
		return result(err)
	}
	note(name, p.system.id, document)
	return result(begin(op, func(*operation) (string, error) { return call(p) }))
}

//export HcsCreateComputeSystem
func HcsCreateComputeSystem(id, document *uint16, op, _ uintptr, out *uintptr) int32 {
	note("HcsCreateComputeSystem", text(id), text(document))
	h, err := createSystem(op, text(id), text(document))
	*out = h
	return result(err)
}

//export HcsOpenComputeSystem
func HcsOpenComputeSystem(id *uint16, _ uint32, out *uintptr) int32 {
	note("HcsOpenComputeSystem", text(id))
	h, err := openSystem(text(id))
	*out = h
	return result(err)
}

//export HcsCloseComputeSystem
func HcsCloseComputeSystem(h uintptr) {
	if s, err := systemOf(h); err == nil {
		note("HcsCloseComputeSystem", s.id)
	}
	closeHandle(h)
}

//export HcsStartComputeSystem
func HcsStartComputeSystem(h, op uintptr, options *uint16) int32 {
	return onSystem("HcsStartComputeSystem", h, op, text(options), func(s *system) (string, error) { return "", s.start() })
}

//export HcsShutDownComputeSystem
func HcsShutDownComputeSystem(h, op uintptr, options *uint16) int32 {
	return onSystem("HcsShutDownComputeSystem", h, op, text(options), func(s *system) (string, error) { return "", s.stop(exitGraceful) })
}

//export HcsTerminateComputeSystem
func HcsTerminateComputeSystem(h, op uintptr, options *uint16) int32 {
	return onSystem("HcsTerminateComputeSystem", h, op, text(options), func(s *system) (string, error) { return "", s.stop(exitForced) })
}

//export HcsPauseComputeSystem
func HcsPauseComputeSystem(h, op uintptr, options *uint16) int32 {
	return onSystem("HcsPauseComputeSystem", h, op, text(options), refuse)
}

//export HcsResumeComputeSystem
func HcsResumeComputeSystem(h, op uintptr, options *uint16) int32 {
	return onSystem("HcsResumeComputeSystem", h, op, text(options), refuse)
}

//export HcsGetComputeSystemProperties
func HcsGetComputeSystemProperties(h, op uintptr, query *uint16) int32 {
	q := text(query)
	return onSystem("HcsGetComputeSystemProperties", h, op, q, func(s *system) (string, error) { return s.properties(q) })
}

//export HcsModifyComputeSystem
func HcsModifyComputeSystem(h, op uintptr, settings *uint16, _ uintptr) int32 {
	d := text(settings)
	return onSystem("HcsModifyComputeSystem", h, op, d, func(s *system) (string, error) { return "", s.modify(d) })
}

//export HcsCreateProcess
func HcsCreateProcess(h uintptr, parameters *uint16, op, _ uintptr, out *uintptr) int32 {
	if s, err := systemOf(h); err == nil {
		note("HcsCreateProcess", s.id, text(parameters))
	}
	p, err := createProcess(op, h, text(parameters))
	*out = p
	return result(err)
}

//export HcsOpenProcess
func HcsOpenProcess(h uintptr, pid, _ uint32, out *uintptr) int32 {
	p, err := openProcess(h, pid)
	*out = p
	return result(err)
}

//export HcsCloseProcess
func HcsCloseProcess(h uintptr) { closeHandle(h) }

//export HcsTerminateProcess
func HcsTerminateProcess(h, op uintptr, options *uint16) int32 {
	return onProcess("HcsTerminateProcess", h, op, text(options), func(p *process) (string, error) { return "", p.terminate() })
}

//export HcsSignalProcess
func HcsSignalProcess(h, op uintptr, options *uint16) int32 {
	d := text(options)
	return onProcess("HcsSignalProcess", h, op, d, func(p *process) (string, error) { return "", p.signal(d) })
}

//export HcsGetProcessInfo
func HcsGetProcessInfo(h, op uintptr) int32 {
	return onProcess("HcsGetProcessInfo", h, op, "", func(*process) (string, error) { return "", notImplemented })
}

//export HcsGetProcessProperties
func HcsGetProcessProperties(h, op uintptr, query *uint16) int32 {
	return onProcess("HcsGetProcessProperties", h, op, text(query), func(p *process) (string, error) { return p.status(), nil })
}

//export HcsModifyProcess
func HcsModifyProcess(h, op uintptr, settings *uint16) int32 {
	d := text(settings)
	return onProcess("HcsModifyProcess", h, op, d, func(p *process) (string, error) { return "", p.modify(d) })
}
