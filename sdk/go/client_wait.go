package muster

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/muster-jobs/muster/sdk/go/internal/rpcerror"
	"github.com/muster-jobs/muster/sdk/go/internal/transport"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

const (
	// waitPoll is the maximum time that one call waits on the server.
	waitPoll = 30 * time.Second
	// waitSlack is added to the call's timeout for the network round trip.
	waitSlack = 5 * time.Second
)

// Wait waits until the job has ended, for as long as the context lasts, also across an outage of the control plane. A
// handler that waits must pass its context; it keeps its slot meanwhile. [WaitChildren] gives the slot back.
//
// Errors: *[Error] with [ReasonWaitTimeout] when the context ended first; the returned job is then the last state read,
// or nil.
func (c *Client) Wait(ctx context.Context, jobID string) (*pb.Job, error) {
	var job *pb.Job
	// A wait outlives a restart of the control plane: time bounds it, not a number of tries.
	patient := c.retry
	patient.MaxAttempts = 0
	patient.Shared = false // the server answers late on purpose
	for {
		if ctx.Err() != nil {
			return job, waitTimeout(ctx, job)
		}
		response, err := transport.Do(ctx, patient, func(ctx context.Context) (*pb.WaitJobResponse, error) {
			return c.waitOnce(ctx, jobID)
		})
		switch {
		case err == nil && response.Job == nil:
			_, err := present(response.Job, "job")
			return nil, err
		case err == nil:
			if job = response.Job; HasEnded(job.State) {
				return job, nil
			}
		// The call is repeated when the server does not answer in time.
		case ctx.Err() == nil && rpcerror.Of(err).Code != codes.DeadlineExceeded:
			return job, asError(err)
		}
	}
}

// waitOnce has the server answer shortly before the context ends, so that there is a job to return.
func (c *Client) waitOnce(ctx context.Context, jobID string) (*pb.WaitJobResponse, error) {
	poll := waitPoll
	if deadline, ok := ctx.Deadline(); ok {
		poll = min(poll, max(0, time.Until(deadline)*9/10))
	}
	ctx, cancel := context.WithTimeout(ctx, poll+waitSlack)
	defer cancel()
	request := &pb.WaitJobRequest{
		Namespace: c.namespace,
		JobId:     jobID,
		Timeout:   durationpb.New(poll),
	}
	return c.jobs.WaitJob(ctx, request)
}

// Result waits for the job's end and returns the handler's result, read by [Decode].
//
// Errors: *[JobFailedError] when it ended without a result; *[Error] as in [Client.Wait]; *[PayloadError] when the
// result does not fit T.
func Result[T any](ctx context.Context, client *Client, jobID string) (T, error) {
	job, err := client.Wait(ctx, jobID)
	if err != nil {
		var none T
		return none, err
	}
	return resultOf[T](job)
}

// resultOf requires a job that has ended.
func resultOf[T any](job *pb.Job) (T, error) {
	if job.State != pb.JobState_JOB_STATE_SUCCEEDED {
		var none T
		return none, &JobFailedError{Job: job}
	}
	return Decode[T](job.GetResult())
}
