//go:build !windows

package token

import "errors"

// Token is a primary token.
type Token struct{}

// New makes a token that is the user's without what r removes. Close it after use.
func New(r *Restriction) (*Token, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return nil, errors.ErrUnsupported
}

// Own describes the token of this process.
func Own() (Facts, error) { return Facts{}, errors.ErrUnsupported }

// Handle is the value for jobobject.ProcessOptions; 0 for a nil Token.
func (t *Token) Handle() uintptr { return 0 }

// Close closes the token. It does nothing on a nil Token.
func (t *Token) Close() error { return nil }

// Environment returns the environment of the token's user.
func (t *Token) Environment() ([]string, error) { return nil, errors.ErrUnsupported }
