// The demo's worker in Go: which airports are the busiest.
//
//	MUSTER_ADDRESS=127.0.0.1:7070 go run .
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/muster-jobs/muster/sdk/go"
)

// tracesEnd bounds the sending of the last spans.
const tracesEnd = 5 * time.Second

func main() {
	ctx, forget := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer forget()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	stopTracing, err := startTracing(ctx)
	if err != nil {
		return err
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), tracesEnd)
		defer cancel()
		err = errors.Join(err, stopTracing(last))
	}()
	worker, err := muster.NewWorker(muster.WorkerOptions{
		Address: os.Getenv("MUSTER_ADDRESS"),
		Name:    "polyglot-go",
		Slots:   4,
	})
	if err != nil {
		return err
	}
	muster.Handle(worker, "count-flights", func(_ context.Context, network Network) (Busiest, error) {
		return countFlights(network), nil
	})
	return worker.Run(ctx)
}
