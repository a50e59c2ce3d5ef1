package muster

import (
	"context"

	"github.com/muster-jobs/muster/sdk/go/internal/uuid"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// SubmittedJob is an accepted job.
type SubmittedJob struct {
	// JobID is the UUID of the job.
	JobID string
	// Existing is true when no job was created: the idempotency key or the request id was in use, or the job is a
	// duplicate by a rule of the definition.
	Existing bool
}

// JobRequest is one job of [Client.SubmitMany].
type JobRequest struct {
	Definition string
	// Input is a value that [Encode] accepts; nil means none.
	Input   any
	Options []JobOption
	// IdempotencyKey works as in [WithIdempotencyKey], with the policy USE_EXISTING. Empty means none.
	IdempotencyKey string
}

// Submit stores a job. The job is committed when Submit returns. The input is a value that [Encode] accepts; nil means
// none.
//
// Errors: *[Error] InvalidArgument, NotFound, AlreadyExists, FailedPrecondition, ResourceExhausted as documented at
// SubmitJob; *[PayloadError] when the input can't be encoded.
func (c *Client) Submit(ctx context.Context, definition string, input any, options ...SubmitOption) (SubmittedJob, error) {
	payload, err := Encode(input)
	if err != nil {
		return SubmittedJob{}, err
	}
	said := submission{job: &pb.JobSubmission{Definition: definition, Input: payload}, requestID: uuid.New()}
	for _, option := range options {
		option.applySubmit(&said)
	}
	request := &pb.SubmitJobRequest{
		Namespace:  c.namespace,
		Job:        said.job,
		RequestId:  said.requestID,
		BatchJobId: said.batchJobID,
	}
	var job SubmittedJob
	err = inSubmitSpan(ctx, destination{c.address, c.namespace}, []string{definition}, func(ctx context.Context) ([]string, error) {
		response, err := invoke(ctx, c, func(ctx context.Context) (*pb.SubmitJobResponse, error) {
			return c.jobs.SubmitJob(ctx, request)
		})
		job = SubmittedJob{response.GetJobId(), response.GetExisting()}
		return []string{job.JobID}, err
	})
	return job, err
}

// SubmitMany stores between 1 and 10,000 jobs of at most 3 MiB together, all or none. The results are in the order of
// the jobs.
//
// Errors: as Submit; the path of a field violation contains the index of the job.
func (c *Client) SubmitMany(ctx context.Context, jobs []JobRequest, options ...SubmitManyOption) ([]SubmittedJob, error) {
	said := submission{requestID: uuid.New()}
	for _, option := range options {
		option.applySubmitMany(&said)
	}
	request := &pb.SubmitJobsRequest{Namespace: c.namespace, RequestId: said.requestID, BatchJobId: said.batchJobID}
	definitions := make([]string, len(jobs))
	for i, job := range jobs {
		payload, err := Encode(job.Input)
		if err != nil {
			return nil, err
		}
		message := &pb.JobSubmission{Definition: job.Definition, Input: payload, IdempotencyKey: job.IdempotencyKey}
		for _, option := range job.Options {
			option(message)
		}
		request.Jobs = append(request.Jobs, message)
		definitions[i] = job.Definition
	}
	var submitted []SubmittedJob
	err := inSubmitSpan(ctx, destination{c.address, c.namespace}, definitions, func(ctx context.Context) (ids []string, err error) {
		response, err := invoke(ctx, c, func(ctx context.Context) (*pb.SubmitJobsResponse, error) {
			return c.jobs.SubmitJobs(ctx, request)
		})
		for _, job := range response.GetJobs() {
			submitted = append(submitted, SubmittedJob{job.JobId, job.Existing})
			ids = append(ids, job.JobId)
		}
		return ids, err
	})
	return submitted, err
}
