// Package rpc drives the shim's executable as containerd does, without containerd between: it starts it, answers its
// events, gives it pipes and speaks ttrpc to it. Its tests are a Windows program; on Linux they run on Wine.
package rpc
