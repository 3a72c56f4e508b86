//go:build !windows

package hcs

import (
	"context"
	"errors"
	"testing"
)

// TestComputeCoreElsewhere: there is no such service, and every entry says so.
func TestComputeCoreElsewhere(t *testing.T) {
	c := new(Client)
	_, open := c.Open(context.Background(), "c1")
	_, list := c.Enumerate(context.Background(), nil)
	_, create := c.Create(context.Background(), "c1", nil)
	for _, err := range []error{open, list, create} {
		if !errors.Is(err, ErrNotSupported) || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("error %v", err)
		}
	}
}
