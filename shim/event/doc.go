// Package event sends the shim's events to containerd, in order and without blocking their senders.
//
// [Publisher.Publish] puts an event into a queue and returns. One goroutine sends the head of the queue until
// containerd has received it, then the next: an event never overtakes another, and one that was received is not sent
// again. While containerd is away the queue grows up to its bound; what does not fit is dropped, newest first, and counted.
package event
