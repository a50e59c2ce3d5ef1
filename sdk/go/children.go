package muster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/muster-jobs/muster/sdk/go/internal/transport"
	"github.com/muster-jobs/muster/sdk/go/internal/uuid"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

const (
	// maxAwaited is the maximum number of children that one report can wait for.
	maxAwaited = 1_000
	// childPatience is how long a child call is repeated, so that a restart of the control plane does not fail the
	// handler.
	childPatience = time.Minute
	// childrenAtOnce is the maximum number of children read concurrently.
	childrenAtOnce = 20
)

// errNoChildren is returned by handlers that run without a worker, for example in tests.
var errNoChildren = errors.New("a handler that is run without a worker has no children")

// Child identifies a child job that was accepted in this run of the handler or in an earlier one.
type Child struct {
	// JobID is the UUID of the child's job.
	JobID string
}

// WaitsForChildren is the error of [WaitChildren] and [Job.EndedChildren] while children are open. A handler must
// return it, as it is or wrapped. That ends this run of the handler; when the children have ended, the handler runs
// again from its start.
type WaitsForChildren struct {
	// ChildIDs are the UUIDs of open children, at most 1,000.
	ChildIDs []string
}

func (w *WaitsForChildren) Error() string {
	return "the handler waits for children of its job; it has to return this error, and runs again once they have ended"
}

func (w *WaitsForChildren) ids() [][]byte {
	ids := make([][]byte, 0, len(w.ChildIDs))
	for _, text := range w.ChildIDs {
		if id, err := uuid.Bytes(text); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// children submits and reads the child jobs of one run of a handler.
type children struct {
	jobs      pb.JobServiceClient
	to        destination
	parent    *pb.ParentAttempt
	submitted atomic.Int64
}

// Submit stores a child of the job. When the handler runs again, the same call returns the child that was created
// before. Children are identified by [WithChildKey], or by their sequence number if they have no key, so a handler must
// submit the same children in the same order each time it runs. The input is a value that [Encode] accepts.
//
// Errors: *[Error] FailedPrecondition (PARENT_ATTEMPT_CLOSED) when the worker no longer owns the attempt; AlreadyExists
// (IDEMPOTENCY_CONFLICT) when an earlier run submitted a different job as this child; *[PayloadError].
func (j *Job) Submit(ctx context.Context, definition string, input any, options ...ChildOption) (Child, error) {
	if j.children == nil {
		return Child{}, errNoChildren
	}
	return j.children.submit(ctx, definition, input, options)
}

// EndedChildren returns the jobs of the children, in the given order, once all have ended, with whatever result. Until
// then it fails with *[WaitsForChildren], which the handler must return.
func (j *Job) EndedChildren(ctx context.Context, children ...Child) ([]*pb.Job, error) {
	if j.children == nil {
		return nil, errNoChildren
	}
	return j.children.ended(ctx, children)
}

// WaitChildren returns the results of children, in the given order, once all have ended. The context must be that of
// the handler. Until then it fails with *[WaitsForChildren], which the handler must return: the job gives back its slot
// and its permits, and the handler runs again from its start when the children have ended.
//
// Errors: *[JobFailedError] when a child ended without a result; *[PayloadError] when a result does not fit T.
func WaitChildren[T any](ctx context.Context, children ...Child) ([]T, error) {
	job := JobFrom(ctx)
	if job == nil {
		return nil, errors.New("children need the context of a handler")
	}
	ended, err := job.EndedChildren(ctx, children...)
	if err != nil {
		return nil, err
	}
	results := make([]T, len(ended))
	for i, child := range ended {
		if results[i], err = resultOf[T](child); err != nil {
			return nil, err
		}
	}
	return results, nil
}

func (c *children) submit(ctx context.Context, definition string, input any, options []ChildOption) (Child, error) {
	said := submission{job: &pb.JobSubmission{Definition: definition}}
	for _, option := range options {
		option.applyChild(&said)
	}
	if said.childKey == "" {
		said.childKey = strconv.FormatInt(c.submitted.Add(1)-1, 10)
	}
	payload, err := Encode(input)
	if err != nil {
		return Child{}, err
	}
	said.job.Input = payload
	said.job.IdempotencyKey = fmt.Sprintf("child/%s/%s", c.parent.JobId, said.childKey)
	said.job.IdempotencyConflictPolicy = pb.IdempotencyConflictPolicy_IDEMPOTENCY_CONFLICT_POLICY_USE_EXISTING
	request := &pb.SubmitJobRequest{
		Namespace: c.to.namespace,
		Job:       said.job,
		Parent: &pb.ParentAttempt{
			JobId:     c.parent.JobId,
			Attempt:   c.parent.Attempt,
			SessionId: c.parent.SessionId,
			Detached:  said.detached,
		},
	}
	var child Child
	err = inSubmitSpan(ctx, c.to, []string{definition}, func(ctx context.Context) ([]string, error) {
		response, err := patiently(ctx, func(ctx context.Context) (*pb.SubmitJobResponse, error) {
			return c.jobs.SubmitJob(ctx, request)
		})
		child.JobID = response.GetJobId()
		return []string{child.JobID}, err
	})
	return child, err
}

func (c *children) ended(ctx context.Context, children []Child) ([]*pb.Job, error) {
	jobs, err := c.getAll(ctx, children)
	if err != nil {
		return nil, err
	}
	waits := &WaitsForChildren{}
	for _, job := range jobs {
		if !HasEnded(job.State) && len(waits.ChildIDs) < maxAwaited {
			waits.ChildIDs = append(waits.ChildIDs, job.JobId)
		}
	}
	if len(waits.ChildIDs) > 0 {
		return nil, waits
	}
	return jobs, nil
}

func (c *children) getAll(ctx context.Context, children []Child) ([]*pb.Job, error) {
	jobs := make([]*pb.Job, len(children))
	errs := make([]error, len(children))
	permits := make(chan struct{}, childrenAtOnce)
	var asked sync.WaitGroup
	for i, child := range children {
		permits <- struct{}{}
		asked.Go(func() {
			defer func() { <-permits }()
			jobs[i], errs[i] = c.get(ctx, child.JobID)
		})
	}
	asked.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

func (c *children) get(ctx context.Context, jobID string) (*pb.Job, error) {
	request := &pb.GetJobRequest{Namespace: c.to.namespace, JobId: jobID}
	response, err := patiently(ctx, func(ctx context.Context) (*pb.GetJobResponse, error) {
		return c.jobs.GetJob(ctx, request)
	})
	if err != nil {
		return nil, err
	}
	return present(response.Job, "job")
}

// patiently repeats a call for up to childPatience.
func patiently[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, childPatience)
	defer cancel()
	retry := defaultRetry
	retry.MaxAttempts = 0
	answer, err := transport.Do(ctx, retry, call)
	return answer, asError(err)
}
