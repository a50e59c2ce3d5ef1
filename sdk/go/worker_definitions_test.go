package muster_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/muster-jobs/muster/sdk/go"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// newApplyingWorker makes a worker of the namespace "shop" with the definitions.
func newApplyingWorker(t *testing.T, address string, definitions ...*pb.JobDefinition) *muster.Worker {
	t.Helper()
	worker, err := muster.NewWorker(muster.WorkerOptions{
		Address:     address,
		Name:        "test",
		Namespace:   "shop",
		Definitions: definitions,
		Logger:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	muster.Handle(worker, "a", idle)
	return worker
}

func TestWorkerAppliesItsDefinitionsBeforeItsSession(t *testing.T) {
	fake, _ := startFakeServer(t)
	fake.failures = []error{status.Error(codes.Unavailable, "away")}
	bill := &pb.JobDefinition{Name: "bill", Body: &pb.JobDefinition_Task{Task: &pb.TaskBody{Handler: "a"}}}
	worker := newApplyingWorker(t, fake.address, &pb.JobDefinition{Name: "a"}, bill)
	var refused *muster.Error
	if err := worker.Run(t.Context()); !errors.As(err, &refused) || refused.Code != codes.PermissionDenied {
		t.Fatalf("%v", err)
	}
	<-worker.Ready()

	var calls []string
	ids := map[string]string{}
	for _, request := range fake.requests {
		switch request := request.(type) {
		case *pb.ApplyJobDefinitionRequest:
			said := request.Definition
			calls = append(calls, fmt.Sprintf("%s/%s by %q", said.Namespace, said.Name, said.GetTask().GetHandler()))
			ids[request.RequestId] = said.Name
		case *workerpb.OpenSessionRequest:
			calls = append(calls, "session")
		}
	}
	want := `shop/a by "", shop/a by "", shop/bill by "a", session`
	if got := strings.Join(calls, ", "); got != want || len(ids) != 2 {
		t.Fatalf("%s under %d ids, not %s", got, len(ids), want)
	}
	if bill.Namespace != "" {
		t.Error("the caller's definition was changed")
	}
}

func TestWorkerEndsWithTheRefusalOfADefinition(t *testing.T) {
	fake, _ := startFakeServer(t)
	fake.failures = []error{failure(codes.InvalidArgument, "", &errdetails.BadRequest{
		FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "definition.name", Description: "is wrong"}},
	})}
	worker := newApplyingWorker(t, fake.address, &pb.JobDefinition{Name: "A!"})
	var refused *muster.Error
	err := worker.Run(t.Context())
	if !errors.As(err, &refused) || refused.Code != codes.InvalidArgument || refused.FieldViolations[0].Field != "definition.name" ||
		!strings.Contains(err.Error(), `the definition "A!"`) {
		t.Fatalf("%v", err)
	}
	if len(fake.requests) != 1 {
		t.Fatalf("%d calls", len(fake.requests))
	}
	<-worker.Ready()
}

func TestWorkerWithDefinitionsEndsWithItsContext(t *testing.T) {
	worker := newApplyingWorker(t, "127.0.0.1:1", &pb.JobDefinition{Name: "a"})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- worker.Run(ctx) }()
	select {
	case <-worker.Ready():
		t.Error("it is ready without a control plane")
	case err := <-ended:
		t.Error(err)
	default:
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	<-worker.Ready()
}
