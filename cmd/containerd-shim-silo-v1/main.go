// Command containerd-shim-silo-v1 is the containerd runtime shim io.containerd.silo.v1.
package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/shim/bootstrap"
	"github.com/siloshim/siloshim/shim/event"
	"github.com/siloshim/siloshim/shim/pod"
	"github.com/siloshim/siloshim/shim/service"
)

// lastEvents bounds the time that the shim gives containerd to take its last events.
const lastEvents = 5 * time.Second

// silo makes containers with this machine's kernel.
type silo struct{ engine engine.Engine }

// Serve implements [bootstrap.Shim].
func (s silo) Serve(ctx context.Context, p bootstrap.Params) error {
	publisher := event.New(p.Namespace, event.NewSender(p.TTRPCAddress, p.PublishBinary, p.GRPCAddress))
	err := service.Serve(ctx, p.Listener, service.Config{
		Namespace: p.Namespace, Engine: s.engine, Emit: publisher.Publish, Options: p.Options,
	})
	ctx, cancel := context.WithTimeout(context.Background(), lastEvents)
	defer cancel()
	return errors.Join(err, publisher.Close(ctx))
}

// Cleanup implements [bootstrap.Shim].
func (s silo) Cleanup(ctx context.Context, p bootstrap.Params) error {
	return pod.Cleanup(ctx, s.engine, p.Namespace, p.ID, p.Bundle)
}

func main() { os.Exit(bootstrap.Main(bootstrap.Self(), silo{})) }
