package muster

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// sentJobs records the metadata of submissions.
type sentJobs struct {
	pb.JobServiceClient
	sent []metadata.MD
}

func (s *sentJobs) SubmitJob(ctx context.Context, _ *pb.SubmitJobRequest, _ ...grpc.CallOption) (*pb.SubmitJobResponse, error) {
	outgoing, _ := metadata.FromOutgoingContext(ctx)
	s.sent = append(s.sent, outgoing)
	return &pb.SubmitJobResponse{JobId: "j"}, nil
}

func TestAChildIsInTheTraceOfItsHandler(t *testing.T) {
	const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	jobs := &sentJobs{}
	made := children{jobs: jobs, to: destination{"127.0.0.1:7070", "shop"}, parent: &pb.ParentAttempt{JobId: "p"}}
	carrier := propagation.MapCarrier{"traceparent": traceparent, "tracestate": "a=b"}
	ctx := propagation.TraceContext{}.Extract(t.Context(), carrier)
	child, err := made.submit(ctx, "resize", nil, nil)
	if err != nil || child.JobID != "j" {
		t.Fatal(child, err)
	}
	for name, want := range carrier {
		if got := jobs.sent[0].Get(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s %v, not %s", name, got, want)
		}
	}
}
