//go:build !windows

package install

import (
	"context"
	"errors"
	"time"
)

func (system) Service(name string) (Service, error) { return Service{}, errNoService(name) }

func (system) Started(name string) (time.Time, error) { return time.Time{}, errNoService(name) }

func (system) Restart(context.Context, string) error {
	return errors.New("services are a thing of Windows")
}

func (system) Processes(string) ([]uint32, error) { return nil, nil }
