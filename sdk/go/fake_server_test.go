package muster_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/muster-jobs/muster/sdk/go"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// fakeServer answers real gRPC calls as a test requires.
type fakeServer struct {
	pb.UnimplementedBatchServiceServer
	pb.UnimplementedJobServiceServer
	pb.UnimplementedJobDefinitionServiceServer
	pb.UnimplementedSignalServiceServer
	workerpb.UnimplementedSessionServiceServer

	address string

	mu       sync.Mutex
	requests []any
	metadata []metadata.MD
	// failures are the errors of the next calls.
	failures []error
	jobs     []*pb.Job
	// streams are the contents of the next streams.
	streams []fakeStream
	// onJob is called with the lock held when a job is returned.
	onJob func()
}

// startFakeServer starts a fake server and returns a client of it.
func startFakeServer(t *testing.T) (*fakeServer, *muster.Client) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fake := &fakeServer{address: listener.Addr().String()}
	server := grpc.NewServer()
	pb.RegisterBatchServiceServer(server, fake)
	pb.RegisterJobServiceServer(server, fake)
	pb.RegisterJobDefinitionServiceServer(server, fake)
	pb.RegisterSignalServiceServer(server, fake)
	workerpb.RegisterSessionServiceServer(server, fake)
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(listener) // ends with Stop
	}()
	client, err := muster.NewClient(muster.ClientOptions{
		Address:   fake.address,
		Namespace: "shop",
		Retry:     muster.RetryOptions{MaxAttempts: 4, MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close() // its error does not matter
		server.Stop()
		<-served
	})
	return fake, client
}

// note records a request, and returns the error of the call.
func (f *fakeServer) note(ctx context.Context, request any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	md, _ := metadata.FromIncomingContext(ctx)
	f.requests = append(f.requests, request)
	f.metadata = append(f.metadata, md)
	if len(f.failures) == 0 {
		return nil
	}
	failure := f.failures[0]
	f.failures = f.failures[1:]
	return failure
}

// job returns the next queued job, or one that has succeeded.
func (f *fakeServer) job() *pb.Job {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.onJob != nil {
		f.onJob()
	}
	if len(f.jobs) == 0 {
		return &pb.Job{JobId: "j", State: pb.JobState_JOB_STATE_SUCCEEDED, Outcome: &pb.Job_Result{Result: muster.NewPayload([]byte("7"), muster.JSONType)}}
	}
	job := f.jobs[0]
	f.jobs = f.jobs[1:]
	return job
}

func (f *fakeServer) SubmitJob(ctx context.Context, request *pb.SubmitJobRequest) (*pb.SubmitJobResponse, error) {
	return &pb.SubmitJobResponse{JobId: "j", Existing: true}, f.note(ctx, request)
}

func (f *fakeServer) SubmitJobs(ctx context.Context, request *pb.SubmitJobsRequest) (*pb.SubmitJobsResponse, error) {
	response := &pb.SubmitJobsResponse{}
	for range request.Jobs {
		response.Jobs = append(response.Jobs, &pb.SubmissionResult{JobId: "j"})
	}
	return response, f.note(ctx, request)
}

func (f *fakeServer) WaitJob(ctx context.Context, request *pb.WaitJobRequest) (*pb.WaitJobResponse, error) {
	if err := f.note(ctx, request); err != nil {
		return nil, err
	}
	job := f.job()
	if !muster.HasEnded(job.State) {
		select {
		case <-ctx.Done():
		case <-time.After(min(20*time.Millisecond, request.Timeout.AsDuration())):
		}
	}
	return &pb.WaitJobResponse{Job: job}, nil
}

func (f *fakeServer) GetJob(ctx context.Context, request *pb.GetJobRequest) (*pb.GetJobResponse, error) {
	return &pb.GetJobResponse{}, f.note(ctx, request)
}

func (f *fakeServer) CancelJob(ctx context.Context, request *pb.CancelJobRequest) (*pb.CancelJobResponse, error) {
	return &pb.CancelJobResponse{Job: f.job()}, f.note(ctx, request)
}

func (f *fakeServer) RetryJob(ctx context.Context, request *pb.RetryJobRequest) (*pb.RetryJobResponse, error) {
	return &pb.RetryJobResponse{Job: f.job()}, f.note(ctx, request)
}

func (f *fakeServer) ExplainJob(ctx context.Context, request *pb.ExplainJobRequest) (*pb.ExplainJobResponse, error) {
	return &pb.ExplainJobResponse{Explanation: &pb.JobExplanation{Summary: "why"}}, f.note(ctx, request)
}

func (f *fakeServer) ListJobs(ctx context.Context, request *pb.ListJobsRequest) (*pb.ListJobsResponse, error) {
	response := &pb.ListJobsResponse{Jobs: []*pb.Job{{JobId: "a"}}}
	switch request.PageToken {
	case "":
		response.NextPageToken = "second"
	case "second":
		response = &pb.ListJobsResponse{NextPageToken: "third"}
	}
	return response, f.note(ctx, request)
}

func (f *fakeServer) ApplyJobDefinition(ctx context.Context, request *pb.ApplyJobDefinitionRequest) (*pb.ApplyJobDefinitionResponse, error) {
	return &pb.ApplyJobDefinitionResponse{Definition: request.Definition, Created: true}, f.note(ctx, request)
}

// OpenSession refuses every worker for good.
func (f *fakeServer) OpenSession(ctx context.Context, request *workerpb.OpenSessionRequest) (*workerpb.OpenSessionResponse, error) {
	if err := f.note(ctx, request); err != nil {
		return nil, err
	}
	return nil, status.Error(codes.PermissionDenied, "no sessions here")
}

func (f *fakeServer) SendSignal(ctx context.Context, request *pb.SendSignalRequest) (*pb.SendSignalResponse, error) {
	return &pb.SendSignalResponse{Kept: true}, f.note(ctx, request)
}

func (f *fakeServer) ApproveJob(ctx context.Context, request *pb.ApproveJobRequest) (*pb.ApproveJobResponse, error) {
	return &pb.ApproveJobResponse{Job: f.job()}, f.note(ctx, request)
}

func (f *fakeServer) RejectJob(ctx context.Context, request *pb.RejectJobRequest) (*pb.RejectJobResponse, error) {
	return &pb.RejectJobResponse{Job: f.job()}, f.note(ctx, request)
}

// failure makes an error in Muster's form.
func failure(code codes.Code, reason string, details ...protoadapt.MessageV1) error {
	details = append(details, &errdetails.ErrorInfo{Reason: reason, Domain: "muster", Metadata: map[string]string{"job_id": "j"}})
	said, err := status.New(code, "it went wrong").WithDetails(details...)
	if err != nil {
		panic(err)
	}
	return said.Err()
}

func retryInfo(delay time.Duration) protoadapt.MessageV1 {
	return &errdetails.RetryInfo{RetryDelay: durationpb.New(delay)}
}
