package muster_test

import (
	"context"

	"google.golang.org/grpc"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// fakeStream is the content of one stream before it ends or breaks.
type fakeStream struct {
	jobs []*pb.Job
	logs []*pb.WatchAttemptLogsResponse
	// breaks is the error with which it breaks; nil: it ends.
	breaks error
	// stays: it stays open until the caller cancels it.
	stays bool
}

// stream returns the next queued stream, or an empty one.
func (f *fakeServer) stream(ctx context.Context, request any) (next fakeStream, err error) {
	if err := f.note(ctx, request); err != nil {
		return next, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.streams) > 0 {
		next, f.streams = f.streams[0], f.streams[1:]
	}
	return next, nil
}

func (s fakeStream) end(ctx context.Context) error {
	if s.stays {
		<-ctx.Done()
	}
	return s.breaks
}

func (f *fakeServer) WatchJob(request *pb.WatchJobRequest, to grpc.ServerStreamingServer[pb.WatchJobResponse]) error {
	says, err := f.stream(to.Context(), request)
	if err != nil {
		return err
	}
	for _, job := range says.jobs {
		if err := to.Send(&pb.WatchJobResponse{Job: job}); err != nil {
			return err
		}
	}
	return says.end(to.Context())
}

func (f *fakeServer) WatchAttemptLogs(request *pb.WatchAttemptLogsRequest, to grpc.ServerStreamingServer[pb.WatchAttemptLogsResponse]) error {
	says, err := f.stream(to.Context(), request)
	if err != nil {
		return err
	}
	for _, message := range says.logs {
		if err := to.Send(message); err != nil {
			return err
		}
	}
	return says.end(to.Context())
}

func (f *fakeServer) ListAttemptLogs(ctx context.Context, request *pb.ListAttemptLogsRequest) (*pb.ListAttemptLogsResponse, error) {
	response := &pb.ListAttemptLogsResponse{Records: []*pb.LogRecord{{Sequence: 1}, {Sequence: 2}}, NextPageToken: "second"}
	if request.PageToken == "second" {
		response = &pb.ListAttemptLogsResponse{Records: []*pb.LogRecord{{Sequence: 3}}}
	}
	return response, f.note(ctx, request)
}

func (f *fakeServer) PauseJob(ctx context.Context, request *pb.PauseJobRequest) (*pb.PauseJobResponse, error) {
	return &pb.PauseJobResponse{Job: &pb.Job{State: pb.JobState_JOB_STATE_PAUSED}}, f.note(ctx, request)
}

func (f *fakeServer) ResumeJob(ctx context.Context, request *pb.ResumeJobRequest) (*pb.ResumeJobResponse, error) {
	return &pb.ResumeJobResponse{Job: &pb.Job{State: pb.JobState_JOB_STATE_READY}}, f.note(ctx, request)
}

func (f *fakeServer) FailJob(ctx context.Context, request *pb.FailJobRequest) (*pb.FailJobResponse, error) {
	return &pb.FailJobResponse{Job: &pb.Job{State: pb.JobState_JOB_STATE_FAILED}}, f.note(ctx, request)
}

func (f *fakeServer) CreateBatch(ctx context.Context, request *pb.CreateBatchRequest) (*pb.CreateBatchResponse, error) {
	return &pb.CreateBatchResponse{Batch: &pb.Batch{Job: &pb.Job{JobId: "b"}}}, f.note(ctx, request)
}

func (f *fakeServer) GetBatch(ctx context.Context, request *pb.GetBatchRequest) (*pb.GetBatchResponse, error) {
	return &pb.GetBatchResponse{Batch: &pb.Batch{Counts: &pb.BatchCounts{Members: 3}}}, f.note(ctx, request)
}

func (f *fakeServer) SealBatch(ctx context.Context, request *pb.SealBatchRequest) (*pb.SealBatchResponse, error) {
	return &pb.SealBatchResponse{Batch: &pb.Batch{Sealed: true}}, f.note(ctx, request)
}
