package stdio

// server is the process that serves a client's pipe. One that has closed its
// pipe and lives on did so on purpose; one that has ended may be started again.
type server interface {
	lives() bool
	close()
}
