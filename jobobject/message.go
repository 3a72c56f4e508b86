package jobobject

import (
	"strconv"
	"sync"
)

// MessageKind says what happened in a job.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_associate_completion_port
type MessageKind uint32

const (
	EndOfJobTime       MessageKind = 1
	EndOfProcessTime   MessageKind = 2
	ActiveProcessLimit MessageKind = 3
	ActiveProcessZero  MessageKind = 4
	NewProcess         MessageKind = 6
	ExitProcess        MessageKind = 7
	AbnormalExit       MessageKind = 8
	ProcessMemoryLimit MessageKind = 9
	JobMemoryLimit     MessageKind = 10
	NotificationLimit  MessageKind = 11
	JobCycleTimeLimit  MessageKind = 12
	SiloTerminated     MessageKind = 13
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

// Message is a note from the kernel about a job. The kernel does not promise to
// deliver it, so it is a reason to look, never the truth itself.
type Message struct {
	Kind MessageKind
	Pid  uint32 // the process concerned, 0 where the whole job is
}

// inboxRoom is how many messages wait for a slow reader before more are dropped.
const inboxRoom = 256

// inbox hands messages to at most one reader and never makes the port wait.
type inbox struct {
	mu     sync.Mutex // guards the fields below
	c      chan Message
	closed bool
}

// Messages returns the job's one channel of messages. Nothing is kept from
// before the first call. A reader that falls behind by more than 256 messages
// loses the newest; one that looks at the job's state after each message
// loses nothing by it. The channel is closed by [Job.Close].
func (j *Job) Messages() <-chan Message {
	b := &j.inbox
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		b.c = make(chan Message, inboxRoom)
		if b.closed {
			close(b.c)
		}
	}
	return b.c
}

// put never blocks, which is why it may send under the lock that close takes.
func (b *inbox) put(m Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil || b.closed {
		return
	}
	select {
	case b.c <- m:
	default:
	}
}

func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	if b.c != nil {
		close(b.c)
	}
}
