package muster

import (
	"context"
	"iter"

	"google.golang.org/protobuf/proto"

	pb "muster.dev/sdk/go/musterpb"
)

// Get reads a job as it is now.
func (c *Client) Get(ctx context.Context, jobID string) (*pb.Job, error) {
	request := &pb.GetJobRequest{Namespace: c.namespace, JobId: jobID}
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.GetJobResponse, error) { return c.jobs.GetJob(ctx, request) })
	if err != nil {
		return nil, err
	}
	return present(response.Job, "job")
}

// Explain says why a job is where it is: what keeps it from starting, who holds that and when it opens, its place in line, and
// an estimate of its start; who has it; how it ended. Its summary is all of it in sentences.
func (c *Client) Explain(ctx context.Context, jobID string) (*pb.JobExplanation, error) {
	request := &pb.ExplainJobRequest{Namespace: c.namespace, JobId: jobID}
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.ExplainJobResponse, error) { return c.jobs.ExplainJob(ctx, request) })
	if err != nil {
		return nil, err
	}
	return present(response.Explanation, "explanation")
}

// Cancel asks a job to stop and gives it as it is then: CANCELLED, or CANCELLING while its handler has yet to return. The
// reason is for people, at most 256 characters; it may be empty.
//
// Errors: *[Error] FailedPrecondition (JOB_ENDED) when it has ended otherwise.
func (c *Client) Cancel(ctx context.Context, jobID, reason string, options ...CallOption) (*pb.Job, error) {
	request := &pb.CancelJobRequest{Namespace: c.namespace, JobId: jobID, Reason: reason, RequestId: requestIDOf(options)}
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.CancelJobResponse, error) { return c.jobs.CancelJob(ctx, request) })
	if err != nil {
		return nil, err
	}
	return present(response.Job, "job")
}

// Pause holds a job that waits and gives it as it is then. Its expiry goes on. The reason is for people, at most 256
// characters; it may be empty.
//
// Errors: *[Error] FailedPrecondition (JOB_ENDED, JOB_NOT_WAITING) when it does not wait. Pausing twice is none.
func (c *Client) Pause(ctx context.Context, jobID, reason string, options ...CallOption) (*pb.Job, error) {
	request := &pb.PauseJobRequest{Namespace: c.namespace, JobId: jobID, Reason: reason, RequestId: requestIDOf(options)}
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.PauseJobResponse, error) { return c.jobs.PauseJob(ctx, request) })
	if err != nil {
		return nil, err
	}
	return present(response.Job, "job")
}

// Resume lets a paused job go on, at once, or at its run time if that is still to come, and gives it as it is then. One that
// is not paused stays as it is.
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

// Retry makes a new job like one that has ended, and gives it; its retry_of names the old one.
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

// List gives all jobs that match the filter, newest first, without their inputs and results; pages are fetched as the loop goes
// on. A nil filter means every job of the namespace. An error is the last thing that the loop is given.
func (c *Client) List(ctx context.Context, filter *pb.JobFilter) iter.Seq2[*pb.Job, error] {
	request := &pb.ListJobsRequest{
		Namespace:     c.namespace,
		States:        filter.GetStates(),
		Definition:    filter.GetDefinition(),
		Queue:         filter.GetQueue(),
		Labels:        filter.GetLabels(),
		MinCreateTime: filter.GetMinCreateTime(),
		MaxCreateTime: filter.GetMaxCreateTime(),
		FailureTypes:  filter.GetFailureTypes(),
		ParentJobId:   filter.GetParentJobId(),
	}
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

// ApplyDefinition stores a definition, or a new version of it where it differs from the newest, and says which. One without a
// body is a task that the handler of the same name runs.
func (c *Client) ApplyDefinition(ctx context.Context, definition *pb.JobDefinition, options ...CallOption) (*pb.ApplyJobDefinitionResponse, error) {
	said := proto.CloneOf(definition)
	if said == nil {
		said = &pb.JobDefinition{}
	}
	said.Namespace = orElse(said.Namespace, c.namespace)
	if said.Body == nil {
		said.Body = &pb.JobDefinition_Task{Task: &pb.TaskBody{}}
	}
	request := &pb.ApplyJobDefinitionRequest{Definition: said, RequestId: requestIDOf(options)}
	return invoke(ctx, c, func(ctx context.Context) (*pb.ApplyJobDefinitionResponse, error) {
		return c.definitions.ApplyJobDefinition(ctx, request)
	})
}
