// Package token makes the restricted tokens that programs run with, and describes tokens.
//
//	Restriction ──► New ──► Token.Handle ──► jobobject.ProcessOptions.Token
//	                Own ──► Facts: privileges, groups that only deny, integrity level
//
// A restriction only removes rights. A name that Windows does not know is an error: a token that is less restricted than
// requested is never made. On other systems New and Own return errors.ErrUnsupported.
package token
