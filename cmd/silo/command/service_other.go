//go:build !windows

package command

import (
	"context"
	"errors"
)

var errNoServices = errors.New("services are a thing of Windows")

func (a *App) installService(string, []string) error              { return errNoServices }
func (a *App) runService(context.Context, string, []string) error { return errNoServices }
func (a *App) removeService(string) error                         { return errNoServices }
