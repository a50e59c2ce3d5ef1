package muster

import (
	"context"

	"google.golang.org/grpc/codes"

	pb "muster.dev/sdk/go/musterpb"
)

// BatchHandle is a batch by its job's id: members are added to it, then it is sealed and followed. [Client.Cancel] of its job
// cancels it with its open members.
type BatchHandle struct {
	// JobID is the UUID of the batch's own job.
	JobID string

	client *Client
}

// CreateBatch makes an open batch without members: jobs that are submitted and followed as one. nil is a batch without labels
// and callback, whose members all run.
//
// Errors: *[Error] InvalidArgument; NotFound (DEFINITION_NOT_FOUND) of the callback.
func (c *Client) CreateBatch(ctx context.Context, batch *pb.Batch, options ...CallOption) (*BatchHandle, error) {
	request := &pb.CreateBatchRequest{Namespace: c.namespace, Batch: batch, RequestId: requestIDOf(options)}
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.CreateBatchResponse, error) {
		return c.batches.CreateBatch(ctx, request)
	})
	if err != nil {
		return nil, err
	}
	if response.GetBatch().GetJob() == nil {
		return nil, &Error{Code: codes.Internal, Message: "the reply names no batch"}
	}
	return c.Batch(response.Batch.Job.JobId), nil
}

// Batch is a batch that is there, by its job's id. It asks nothing.
func (c *Client) Batch(jobID string) *BatchHandle { return &BatchHandle{JobID: jobID, client: c} }

// Submit is as [Client.Submit]: the job becomes a member.
//
// Errors: those, and *[Error] FailedPrecondition when the batch takes no more.
func (b *BatchHandle) Submit(ctx context.Context, definition string, input any, options ...SubmitOption) (SubmittedJob, error) {
	return b.client.Submit(ctx, definition, input, append(options[:len(options):len(options)], WithBatch(b.JobID))...)
}

// SubmitMany is as [Client.SubmitMany]: up to 10,000 jobs of at most 3 MiB a call, and as many calls as it takes.
//
// Errors: as Submit.
func (b *BatchHandle) SubmitMany(ctx context.Context, jobs []JobRequest, options ...SubmitManyOption) ([]SubmittedJob, error) {
	return b.client.SubmitMany(ctx, jobs, append(options[:len(options):len(options)], WithBatch(b.JobID))...)
}

// Seal says that there are no more members: the batch ends once all have. Sealing twice is no error.
func (b *BatchHandle) Seal(ctx context.Context, options ...CallOption) (*pb.Batch, error) {
	request := &pb.SealBatchRequest{Namespace: b.client.namespace, JobId: b.JobID, RequestId: requestIDOf(options)}
	response, err := invoke(ctx, b.client, func(ctx context.Context) (*pb.SealBatchResponse, error) {
		return b.client.batches.SealBatch(ctx, request)
	})
	if err != nil {
		return nil, err
	}
	return present(response.Batch, "batch")
}

// Get reads the batch with its counts, which may be some milliseconds behind its members.
func (b *BatchHandle) Get(ctx context.Context) (*pb.Batch, error) {
	request := &pb.GetBatchRequest{Namespace: b.client.namespace, JobId: b.JobID}
	response, err := invoke(ctx, b.client, func(ctx context.Context) (*pb.GetBatchResponse, error) {
		return b.client.batches.GetBatch(ctx, request)
	})
	if err != nil {
		return nil, err
	}
	return present(response.Batch, "batch")
}

// Wait waits for the batch's end, however it ended, and gives it; one that is not sealed has none.
//
// Errors: those of [Client.Wait].
func (b *BatchHandle) Wait(ctx context.Context) (*pb.Batch, error) {
	if _, err := b.client.Wait(ctx, b.JobID); err != nil {
		return nil, err
	}
	return b.Get(ctx)
}
