package muster

import (
	"context"
	"iter"

	"google.golang.org/protobuf/proto"

	"github.com/muster-jobs/muster/sdk/go/internal/uuid"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// Get reads the current state of a job.
func (c *Client) Get(ctx context.Context, jobID string) (*pb.Job, error) {
	request := &pb.GetJobRequest{Namespace: c.namespace, JobId: jobID}
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.GetJobResponse, error) { return c.jobs.GetJob(ctx, request) })
	if err != nil {
		return nil, err
	}
	return present(response.Job, "job")
}

// Explain reports why a job is in its state: what keeps it from starting, its blockers and when they end, its queue
// position and an estimate of its start; which worker runs it; how it ended. The summary says all of it in sentences.
func (c *Client) Explain(ctx context.Context, jobID string) (*pb.JobExplanation, error) {
	request := &pb.ExplainJobRequest{Namespace: c.namespace, JobId: jobID}
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.ExplainJobResponse, error) { return c.jobs.ExplainJob(ctx, request) })
	if err != nil {
		return nil, err
	}
	return present(response.Explanation, "explanation")
}

// Cancel asks a job to stop and returns its new state: CANCELLED, or CANCELLING while its handler has not returned. The
// state is SUCCEEDED if the handler has returned a result meanwhile. The reason is free text of at most 256 characters;
// it may be empty. With [WithGrace] and 0 the state is CANCELLED, and what the handler still reports is refused.
//
// Errors: *[Error] FailedPrecondition (JOB_ENDED) when the job has ended in another state.
func (c *Client) Cancel(ctx context.Context, jobID, reason string, options ...CancelOption) (*pb.Job, error) {
	request := &pb.CancelJobRequest{Namespace: c.namespace, JobId: jobID, Reason: reason, RequestId: uuid.New()}
	for _, option := range options {
		option.applyCancel(request)
	}
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.CancelJobResponse, error) { return c.jobs.CancelJob(ctx, request) })
	if err != nil {
		return nil, err
	}
	return present(response.Job, "job")
}

// Pause keeps a job from starting and returns its new state: PAUSED, or, with [WithRunning], still RUNNING until its
// handler has stopped. The job still expires while it is paused. The reason is free text of at most 256 characters; it
// may be empty. Pausing twice is not an error.
//
// Errors: *[Error] FailedPrecondition (JOB_ENDED; JOB_NOT_WAITING when the job runs, without [WithRunning]).
func (c *Client) Pause(ctx context.Context, jobID, reason string, options ...PauseOption) (*pb.Job, error) {
	request := &pb.PauseJobRequest{Namespace: c.namespace, JobId: jobID, Reason: reason, RequestId: uuid.New()}
	for _, option := range options {
		option.applyPause(request)
	}
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.PauseJobResponse, error) { return c.jobs.PauseJob(ctx, request) })
	if err != nil {
		return nil, err
	}
	return present(response.Job, "job")
}

// Resume continues a paused job, at once or at its run time if that is in the future, and returns its new state. A job
// that is not paused does not change; one that is exhausted gets all attempts of its retry policy again.
//
// Errors: *[Error] FailedPrecondition (JOB_ENDED).
func (c *Client) Resume(ctx context.Context, jobID string, options ...CallOption) (*pb.Job, error) {
	request := &pb.ResumeJobRequest{Namespace: c.namespace, JobId: jobID, RequestId: requestIDOf(options)}
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.ResumeJobResponse, error) { return c.jobs.ResumeJob(ctx, request) })
	if err != nil {
		return nil, err
	}
	return present(response.Job, "job")
}

// Fail ends a job that is PAUSED after a failed attempt, with that failure, and returns its new state. The reason is
// shown to operators; at most 256 characters.
//
// Errors: *[Error] FailedPrecondition (JOB_ENDED; JOB_NOT_FAILED: it is not paused, or its last attempt has not failed).
func (c *Client) Fail(ctx context.Context, jobID, reason string, options ...CallOption) (*pb.Job, error) {
	request := &pb.FailJobRequest{Namespace: c.namespace, JobId: jobID, Reason: reason, RequestId: requestIDOf(options)}
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.FailJobResponse, error) { return c.jobs.FailJob(ctx, request) })
	if err != nil {
		return nil, err
	}
	return present(response.Job, "job")
}

// Retry creates a new job with the same specification as a job that has ended, and returns the new one. Its retry_of
// names the old one.
//
// Errors: *[Error] FailedPrecondition (JOB_NOT_ENDED, JOB_ERASED, DEFINITION_ARCHIVED).
func (c *Client) Retry(ctx context.Context, jobID string, options ...CallOption) (*pb.Job, error) {
	request := &pb.RetryJobRequest{Namespace: c.namespace, JobId: jobID, RequestId: requestIDOf(options)}
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.RetryJobResponse, error) { return c.jobs.RetryJob(ctx, request) })
	if err != nil {
		return nil, err
	}
	return present(response.Job, "job")
}

// List iterates over all jobs that match the filter, newest first, without their inputs and results. Pages are fetched
// as the loop advances. A nil filter matches every job of the namespace. An error ends the iteration.
func (c *Client) List(ctx context.Context, filter *pb.JobFilter) iter.Seq2[*pb.Job, error] {
	request := &pb.ListJobsRequest{Namespace: c.namespace, Filter: filter}
	return func(yield func(*pb.Job, error) bool) {
		page := proto.CloneOf(request)
		for {
			response, err := invoke(ctx, c, func(ctx context.Context) (*pb.ListJobsResponse, error) { return c.jobs.ListJobs(ctx, page) })
			if err != nil {
				yield(nil, err)
				return
			}
			for _, job := range response.Jobs {
				if !yield(job, nil) {
					return
				}
			}
			if page.PageToken = response.NextPageToken; page.PageToken == "" {
				return
			}
		}
	}
}
