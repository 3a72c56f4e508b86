// Package stdio carries bytes between a process of a container and the named
// pipes, or log URIs, that containerd names in Create and Exec.
//
//	containerd's client                 the shim                      the program
//	\\.\pipe\..-stdin  ──read──► input  goroutine ──write──► pipe ──► stdin
//	\\.\pipe\..-stdout ◄─write── output goroutine ◄─read──── pipe ◄── stdout
//	file:///C:/x.log   ◄─write── output goroutine ◄─read──── pipe ◄── stderr
//	binary:///C:/l.exe ◄─write── (either of them)
//
// The program never holds a pipe of containerd: containerd may restart, and
// its pipes with it, while the program goes on writing into a pipe of the shim.
//
// What the relay promises:
//
//   - A reader that is slow holds the program back; nothing is lost.
//   - A reader that is gone is dialled again for [Config.Retry], and the bytes that
//     it did not take are kept for it. After that time output is discarded and
//     counted ([Relay.Lost]), so that no program blocks for ever on a reader that
//     does not return.
//   - A reader whose reads take 32 KiB, as containerd's do, and its successor get
//     every byte once. After one with shorter reads, the write during which it
//     ended is repeated: at most 32 KiB.
//   - The program's last byte is delivered before its reader sees the end.
//   - [Relay.CloseStdin] never overtakes bytes that the client sent before it.
//   - A client that hangs up while its pipe exists has detached, and the next one
//     at the same address goes on where it stopped. One whose pipe no longer exists
//     has ended the input: after 2 s if its process runs and so has closed the pipe,
//     after [Config.Retry] if its process has ended. A console's input stays open.
//
// The package starts no process and knows no job: package jobobject hands the
// ends that [Relay.Child] returns to the program. The one exception is the
// logging program of binary://, which is the shim's own child and outlives the
// container's last byte. No shell is between.
//
// Shim packages and package main may import it.
package stdio
