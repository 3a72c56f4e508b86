package jobobject

import "strconv"

// MessageKind is what happened in a job.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_associate_completion_port
type MessageKind uint32

const (
	EndOfJobTime       MessageKind = 1  // JobUserTime is used up, and [JobTimeNotify]
	EndOfProcessTime   MessageKind = 2  // a member has used up ProcessUserTime and ends
	ActiveProcessLimit MessageKind = 3  // a process was one too many
	ActiveProcessZero  MessageKind = 4  // the last member has ended
	NewProcess         MessageKind = 6  // a process became a member
	ExitProcess        MessageKind = 7  // a member has ended
	AbnormalExit       MessageKind = 8  // a member has ended by an exception
	ProcessMemoryLimit MessageKind = 9  // a member asked for more than ProcessMemory
	JobMemoryLimit     MessageKind = 10 // a member asked for more than is left of JobMemory
	NotificationLimit  MessageKind = 11 // a notification limit was crossed: see [Job.Violation]
	JobCycleTimeLimit  MessageKind = 12 // the cycles of the job are used up
	SiloTerminated     MessageKind = 13 // the silo that the job is has ended
)

var kindNames = map[MessageKind]string{
	EndOfJobTime:       "end of job time",
	EndOfProcessTime:   "end of process time",
	ActiveProcessLimit: "active process limit",
	ActiveProcessZero:  "active process zero",
	NewProcess:         "new process",
	ExitProcess:        "exit process",
	AbnormalExit:       "abnormal exit",
	ProcessMemoryLimit: "process memory limit",
	JobMemoryLimit:     "job memory limit",
	NotificationLimit:  "notification limit",
	JobCycleTimeLimit:  "job cycle time limit",
	SiloTerminated:     "silo terminated",
}

func (k MessageKind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return "message " + strconv.FormatUint(uint64(k), 10)
}

// OfProcess reports whether messages of this kind are about one process and have its Pid.
// It is true for a kind that this package does not know.
func (k MessageKind) OfProcess() bool {
	switch k {
	case EndOfJobTime, ActiveProcessLimit, ActiveProcessZero, JobCycleTimeLimit, SiloTerminated:
		return false
	}
	return true
}

// newMessage decodes a packet of a completion port. The value is a pid in the
// place of a pointer; in messages of the whole job it means nothing.
func newMessage(kind uint32, value uintptr) Message {
	m := Message{Kind: MessageKind(kind)}
	if m.Kind.OfProcess() {
		m.Pid = uint32(value)
	}
	return m
}

// Message is a message of the kernel about a job. The kernel does not guarantee its
// delivery, but for [NotificationLimit]. So query the job after a message, and do not
// count messages.
type Message struct {
	Kind MessageKind
	Pid  uint32 // the process concerned, 0 where the whole job is
}

// inboxRoom is how many messages wait for a slow reader before more are dropped.
const inboxRoom = 256

// Messages returns the channel of the job's messages, the same one each time. Messages
// before the first call are dropped, and so are further ones while 256 wait for the
// reader. [Job.Close] closes the channel. An opened job receives no messages.
func (j *Job) Messages() <-chan Message { return j.inbox.Values(inboxRoom) }
