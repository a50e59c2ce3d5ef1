package muster

import (
	"context"

	"google.golang.org/grpc/codes"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// BatchHandle refers to a batch by its job's id. It adds members, seals the batch and follows it. Cancelling the
// batch's job with [Client.Cancel] cancels the batch and its open members.
type BatchHandle struct {
	// JobID is the UUID of the batch's own job.
	JobID string

	client *Client
}

// CreateBatch creates an open batch without members. A batch is a set of jobs that are submitted and followed as one.
// With a nil batch it has no labels and no callback, and all its members run.
//
// Errors: *[Error] InvalidArgument; NotFound (DEFINITION_NOT_FOUND) when the callback's definition does not exist.
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

// Batch returns a handle of an existing batch, by its job's id. It makes no call.
func (c *Client) Batch(jobID string) *BatchHandle { return &BatchHandle{JobID: jobID, client: c} }

// Submit works like [Client.Submit]; the job becomes a member of the batch.
//
// Errors: those of [Client.Submit], and *[Error] FailedPrecondition when the batch accepts no more members.
func (b *BatchHandle) Submit(ctx context.Context, definition string, input any, options ...SubmitOption) (SubmittedJob, error) {
	return b.client.Submit(ctx, definition, input, append(options[:len(options):len(options)], WithBatch(b.JobID))...)
}

// SubmitMany works like [Client.SubmitMany]: up to 10,000 jobs of at most 3 MiB together per call. A batch can be
// filled by any number of calls.
//
// Errors: as Submit.
func (b *BatchHandle) SubmitMany(ctx context.Context, jobs []JobRequest, options ...SubmitManyOption) ([]SubmittedJob, error) {
	return b.client.SubmitMany(ctx, jobs, append(options[:len(options):len(options)], WithBatch(b.JobID))...)
}

// Seal declares that the batch gets no more members: it ends once all members have ended. Sealing twice is not an
// error.
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

// Get reads the batch with its counts. The counts may lag behind the members by some milliseconds.
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

// Wait waits until the batch has ended, successfully or not, and returns it. A batch that is not sealed does not end.
//
// Errors: those of [Client.Wait].
func (b *BatchHandle) Wait(ctx context.Context) (*pb.Batch, error) {
	if _, err := b.client.Wait(ctx, b.JobID); err != nil {
		return nil, err
	}
	return b.Get(ctx)
}
