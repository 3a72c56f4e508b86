package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/siloshim/siloshim/test/payload/flood"
)

// number is argument i as a number.
func number(args []string, i int) (int64, error) {
	if i >= len(args) {
		return 0, fmt.Errorf("argument %d is missing", i+1)
	}
	return strconv.ParseInt(args[i], 10, 64)
}

// sleep SECS: runs that long. SECS may be a fraction.
func sleep(args []string) (int, error) {
	secs, err := strconv.ParseFloat(strings.Join(args, ""), 64)
	if err != nil {
		return 0, err
	}
	time.Sleep(time.Duration(secs * float64(time.Second)))
	return 0, nil
}

// exit N: exits with that code.
func exit(args []string) (int, error) {
	n, err := number(args, 0)
	return int(n), err
}

// print TEXT...: one line on standard output.
func printLine(args []string) (int, error) {
	_, err := fmt.Println(strings.Join(args, " "))
	return 0, err
}

// say N TEXT...: one line on standard output, then exits with N.
func say(args []string) (int, error) {
	n, err := number(args, 0)
	if err != nil {
		return 0, err
	}
	_, err = printLine(args[1:])
	return int(n), err
}

// err TEXT...: one line on standard error.
func printErr(args []string) (int, error) {
	_, err := fmt.Fprintln(os.Stderr, strings.Join(args, " "))
	return 0, err
}

// count FILE: the numbers from 0, a line each, a thousand a second, until FILE exists; then "end".
func count(args []string) (int, error) {
	if len(args) == 0 {
		return 0, errors.New("count needs a file")
	}
	for n := 0; ; n++ {
		if _, err := os.Stat(args[0]); err == nil {
			return printLine([]string{"end"})
		}
		if _, err := printLine([]string{strconv.Itoa(n)}); err != nil {
			return 0, err
		}
		time.Sleep(time.Millisecond) // the rate of the output, not a wait
	}
}

// await FILE N: runs until FILE exists, then exits with N.
func await(args []string) (int, error) {
	n, err := number(args, 1)
	if err != nil {
		return 0, err
	}
	for {
		if _, err := os.Stat(args[0]); err == nil {
			return int(n), nil
		}
		time.Sleep(time.Millisecond) // the rate of polling
	}
}

// cat [BYTES]: standard input to standard output until its end, at most so many bytes at a time.
func cat(args []string) (int, error) {
	size := 32 << 10
	if len(args) > 0 {
		n, err := number(args, 0)
		if err != nil {
			return 0, err
		}
		size = int(n)
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{os.Stdout}, struct{ io.Reader }{os.Stdin}, make([]byte, size))
	return 0, err
}

// flood BYTES: the bytes of package flood, then exits at once.
func floodOut(args []string) (int, error) {
	n, err := number(args, 0)
	if err != nil {
		return 0, err
	}
	return 0, flood.Write(os.Stdout, n)
}

// lines N FILE: the numbers from 0 on, each in a line of 100 bytes, N together. All but the first wait for FILE.
func lines(args []string) (int, error) {
	n, err := number(args, 0)
	if err != nil || len(args) < 2 {
		return 0, errors.Join(err, errors.New("lines needs a number and a file"))
	}
	out := bufio.NewWriterSize(os.Stdout, 32<<10) // which cuts lines
	for i := range n {
		fmt.Fprintf(out, "%099d\n", i)
		if i > 0 {
			continue
		}
		if err := out.Flush(); err != nil {
			return 0, err
		}
		if _, err := await([]string{args[1], "0"}); err != nil {
			return 0, err
		}
	}
	return 0, out.Flush()
}

// hold FILE SECS: has FILE open for that long, on Windows without the right to rename it. It prints "held" at the beginning.
func hold(args []string) (int, error) {
	if len(args) < 2 {
		return 0, errors.New("hold needs a file and a time")
	}
	file, err := os.Open(args[0])
	if err != nil {
		return 0, err
	}
	defer file.Close() // it was not read
	if _, err := fmt.Println("held"); err != nil {
		return 0, err
	}
	return sleep(args[1:])
}

// args [ARG...]: the arguments as a JSON array of strings.
func printArgs(args []string) (int, error) {
	return 0, json.NewEncoder(os.Stdout).Encode(append([]string{}, args...))
}

// env: the environment as a JSON object.
func printEnv([]string) (int, error) {
	env := map[string]string{}
	for _, kv := range os.Environ() {
		// Windows keeps variables such as "=C:", whose name begins with the separator.
		if i := strings.Index(kv[1:], "="); i >= 0 {
			env[kv[:i+1]] = kv[i+2:]
		}
	}
	return 0, json.NewEncoder(os.Stdout).Encode(env)
}

// cwd: the working directory.
func printCwd([]string) (int, error) {
	dir, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	return printLine([]string{dir})
}

// pid: the process id.
func printPid([]string) (int, error) {
	return printLine([]string{strconv.Itoa(os.Getpid())})
}

// burn MS: uses one processor that long.
func burn(args []string) (int, error) {
	ms, err := number(args, 0)
	if err != nil {
		return 0, err
	}
	for end := time.Now().Add(time.Duration(ms) * time.Millisecond); time.Now().Before(end); {
	}
	return 0, nil
}

// spend FILE MS SECS: waits until FILE exists, runs until it has used that much processor time, prints what it has used in
// milliseconds, and sleeps.
func spend(args []string) (int, error) {
	ms, err := number(args, 1)
	if err != nil {
		return 0, err
	}
	for _, err := os.Stat(args[0]); err != nil; _, err = os.Stat(args[0]) {
		time.Sleep(10 * time.Millisecond)
	}
	used, err := processorTime()
	for err == nil && used < time.Duration(ms)*time.Millisecond {
		used, err = processorTime()
	}
	if err != nil {
		return 0, err
	}
	fmt.Println(used.Milliseconds())
	return sleep(args[2:])
}

// pace MS MB: uses MS milliseconds of processor time in each second, and holds MB. Each second it prints the time in Unix
// milliseconds, the processor time that it has used in milliseconds, and its private memory in bytes.
func pace(args []string) (int, error) {
	ms, err := number(args, 0)
	mb, err2 := number(args, 1)
	if err := errors.Join(err, err2); err != nil {
		return 0, err
	}
	memory := make([]byte, mb<<20)
	for i := 0; i < len(memory); i += 4096 {
		memory[i] = 1
	}
	second := time.NewTicker(time.Second)
	for {
		before, err := processorTime()
		used := before
		for err == nil && used-before < time.Duration(ms)*time.Millisecond {
			used, err = processorTime()
		}
		private, err2 := weigh()
		if err := errors.Join(err, err2); err != nil {
			return 0, err
		}
		if _, err := fmt.Println(time.Now().UnixMilli(), used.Milliseconds(), private); err != nil {
			return 0, err
		}
		<-second.C // the pace, not a wait
		memory[0]++
	}
}

// alloc MB SECS: uses that much memory that long, and prints its pid and its private memory in bytes.
func alloc(args []string) (int, error) {
	mb, err := number(args, 0)
	if err != nil {
		return 0, err
	}
	debug.SetGCPercent(-1)
	memory := make([]byte, mb<<20)
	for i := 0; i < len(memory); i += 4096 {
		memory[i] = 1
	}
	private, err := weigh()
	if err != nil {
		return 0, err
	}
	fmt.Println(os.Getpid(), private)
	code, err := sleep(args[1:])
	memory[0]++ // it must not be collected before
	return code, err
}

// tree DEPTH SECS: starts a chain of that many children; all run that long. Each prints
// its depth and pid; the line "0 PID" of the last says that the chain is complete.
func tree(args []string) (int, error) {
	depth, err := number(args, 0)
	if err != nil {
		return 0, err
	}
	fmt.Println(depth, os.Getpid())
	if depth == 0 {
		return sleep(args[1:])
	}
	child, err := again(append([]string{"tree", strconv.FormatInt(depth-1, 10)}, args[1:]...)...)
	if err != nil {
		return 0, err
	}
	return 0, child.Wait()
}

// chain: starts its successor, which does the same, and exits.
func chain([]string) (int, error) {
	_, err := again("chain")
	return 0, err
}

// holdout SECS: starts a grandchild that keeps standard output open that long, and exits at once.
func holdOut(args []string) (int, error) {
	_, err := again(append([]string{"sleep"}, args...)...)
	return 0, err
}

// parting FILE: runs until a console event, as does a child, which takes a second to exit. FILE is "ready" once the
// child is, and "done" when the child has exited in order.
func parting(args []string) (int, error) {
	switch {
	case len(args) == 1:
		child, err := again("parting", args[0], "child")
		if err != nil {
			return 0, err
		}
		return 0, child.Wait() // an event ends this program first
	case len(args) != 2:
		return 0, errors.New("parting needs a file")
	}
	events := make(chan os.Signal, 1)
	signal.Notify(events, os.Interrupt, syscall.SIGTERM)
	if err := os.WriteFile(args[0], []byte("ready"), 0o600); err != nil {
		return 0, err
	}
	<-events
	time.Sleep(time.Second) // the time of an orderly exit
	return 0, os.WriteFile(args[0], []byte("done"), 0o600)
}

// obey FILE N: exits with N at a console event. FILE is "ready" once it waits for one.
func obey(args []string) (int, error) {
	n, err := number(args, 1)
	if err != nil {
		return 0, err
	}
	events := make(chan os.Signal, 1)
	signal.Notify(events, os.Interrupt, syscall.SIGTERM)
	if err := os.WriteFile(args[0], []byte("ready"), 0o600); err != nil {
		return 0, err
	}
	<-events
	return int(n), nil
}

// deaf FILE: ignores console events, as does a child. FILE is "ready" once the child does.
func deaf(args []string) (int, error) {
	if len(args) == 0 {
		return 0, errors.New("deaf needs a file")
	}
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM)
	if len(args) == 1 {
		child, err := again("deaf", args[0], "child")
		if err != nil {
			return 0, err
		}
		return 0, child.Wait()
	}
	if err := os.WriteFile(args[0], []byte("ready"), 0o600); err != nil {
		return 0, err
	}
	select {}
}

// kill PID: TerminateProcess with exit code 1.
func kill(args []string) (int, error) {
	pid, err := number(args, 0)
	if err != nil {
		return 0, err
	}
	process, err := os.FindProcess(int(pid))
	if err != nil {
		return 0, err
	}
	return 0, process.Kill()
}

// again starts this program anew with the same standard streams.
func again(args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd, cmd.Start()
}

// write FILE TEXT...: writes a line to a file.
func write(args []string) (int, error) {
	if len(args) == 0 {
		return 0, errors.New("write needs a file")
	}
	return 0, os.WriteFile(args[0], []byte(strings.Join(args[1:], " ")+"\n"), 0o644)
}

// read FILE: its content on standard output.
func read(args []string) (int, error) {
	text, err := os.ReadFile(strings.Join(args, " "))
	if err != nil {
		return 0, err
	}
	_, err = os.Stdout.Write(text)
	return 0, err
}
