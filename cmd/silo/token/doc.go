// Package token makes the restricted tokens that programs run with, and reads what a token allows.
//
//	Restriction ──► New ──► Token.Handle ──► jobobject.ProcessOptions.Token
//	                Own ──► Facts: privileges, groups that only deny, integrity level
//
// A restriction only ever takes away. A name that Windows does not know is an error: a token that is less restricted than
// was asked for is never made. On other systems New and Own say errors.ErrUnsupported.
package token
