// The Go SDK's worker for muster conformance: its handlers follow their input; see docs/conformance.md.
//
//	MUSTER_ADDRESS=127.0.0.1:7070 go run .
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/muster-jobs/muster/sdk/go"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

func main() {
	ctx, forget := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer forget()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	slots, err := strconv.Atoi(setting("MUSTER_SLOTS", "10"))
	if err != nil {
		return fmt.Errorf("MUSTER_SLOTS: %w", err)
	}
	worker, err := muster.NewWorker(muster.WorkerOptions{
		Address: setting("MUSTER_ADDRESS", "127.0.0.1:7070"),
		Name:    setting("MUSTER_WORKER_NAME", "conformance"),
		Slots:   slots,
	})
	if err != nil {
		return err
	}
	worker.HandleFunc("echo", func(_ context.Context, input *pb.Payload) (*pb.Payload, error) { return input, nil })
	muster.Handle(worker, "script", runScript)
	return worker.Run(ctx)
}

func setting(name, otherwise string) string {
	if value, ok := os.LookupEnv(name); ok {
		return value
	}
	return otherwise
}
