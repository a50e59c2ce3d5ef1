package muster_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/muster-jobs/muster/sdk/go"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

func idle(context.Context, any) (any, error) { return nil, nil }

func newWorker(t *testing.T, address string) *muster.Worker {
	t.Helper()
	worker, err := muster.NewWorker(muster.WorkerOptions{Address: address, Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return worker
}

func TestWorkerOptionsThatCanNotBeRight(t *testing.T) {
	for name, options := range map[string]muster.WorkerOptions{
		"no address":     {Name: "test"},
		"no name":        {Address: "127.0.0.1:1"},
		"too many slots": {Address: "127.0.0.1:1", Name: "test", Slots: 10_001},
		"less than none": {Address: "127.0.0.1:1", Name: "test", Slots: -1},
		"no definition":  {Address: "127.0.0.1:1", Name: "test", Definitions: []*pb.JobDefinition{nil}},
		"two of one name": {
			Address: "127.0.0.1:1", Name: "test", Definitions: []*pb.JobDefinition{{Name: "a"}, {Name: "a"}},
		},
		"a definition of another namespace": {
			Address: "127.0.0.1:1", Name: "test", Definitions: []*pb.JobDefinition{{Name: "a", Namespace: "shop"}},
		},
	} {
		if _, err := muster.NewWorker(options); err == nil {
			t.Errorf("%s: a worker was made", name)
		}
	}
	worker := newWorker(t, "127.0.0.1:1")
	if err := worker.SetSlots(0); err == nil {
		t.Error("it took no slots at all")
	}
	if err := worker.SetSlots(20); err != nil || worker.SessionID() != "" || worker.Stats() != (muster.Stats{}) {
		t.Error(err)
	}
	if err := worker.Run(t.Context()); err == nil {
		t.Error("a worker without handlers ran")
	}
}

func TestHandlersThatCanNotBeRegistered(t *testing.T) {
	worker := newWorker(t, "127.0.0.1:1")
	muster.Handle(worker, "a", idle, muster.WithVersions(1, 2))
	for name, register := range map[string]func(){
		"twice":       func() { muster.Handle(worker, "a", idle) },
		"no name":     func() { muster.Handle(worker, "", idle) },
		"no function": func() { worker.HandleFunc("b", nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: it was registered", name)
				}
			}()
			register()
		}()
	}
}

func TestWorkerRunsOnceAndEndsWithItsContext(t *testing.T) {
	worker := newWorker(t, "127.0.0.1:1")
	muster.Handle(worker, "a", idle)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := worker.Run(ctx); err != nil {
		t.Error(err)
	}
	if err := worker.Run(ctx); err == nil {
		t.Error("it ran twice")
	}
}

func TestWorkerThatIsRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	worker := newWorker(t, listener.Addr().String())
	muster.Handle(worker, "a", idle)
	var refused *muster.Error
	if err := worker.Run(t.Context()); !errors.As(err, &refused) || refused.Code != codes.Unimplemented {
		t.Errorf("%v", err)
	}
	server.Stop()
	<-served
}
