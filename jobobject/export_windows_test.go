package jobobject

// LockAttachment is an attachment that lasts until release is called.
func LockAttachment() (release func()) {
	attachment.lock()
	return attachment.unlock
}

// Attach attaches this process to the console of another one.
var Attach = attach
