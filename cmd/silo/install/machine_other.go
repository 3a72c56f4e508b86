//go:build !windows

package install

import "time"

func (system) Service(name string) (Service, error) { return Service{}, errNoService(name) }

func (system) Started(name string) (time.Time, error) { return time.Time{}, errNoService(name) }

func (system) Status(name string) (Status, error) { return Status{}, errNoService(name) }

func (system) Dependents(name string) ([]string, error) { return nil, errNoService(name) }

func (system) Stop(name string) error { return errNoService(name) }

func (system) Start(name string) error { return errNoService(name) }

func (system) Processes(string) ([]uint32, error) { return nil, nil }
