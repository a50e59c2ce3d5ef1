package muster

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "muster.dev/sdk/go/musterpb"
)

// submission is what a caller says about one job.
type submission struct {
	job        *pb.JobSubmission
	requestID  string
	batchJobID string
	childKey   string
	detached   bool
}

// SubmitOption says more about a job of [Client.Submit]: a [JobOption], or one of its own kind.
type SubmitOption interface{ applySubmit(*submission) }

// SubmitManyOption says more about all jobs of [Client.SubmitMany]: [WithRequestID] and [WithBatch].
type SubmitManyOption interface{ applySubmitMany(*submission) }

// ChildOption says more about a job of [Job.Submit]: a [JobOption], or one of its own kind.
type ChildOption interface{ applyChild(*submission) }

// CallOption says more about a call that changes something.
type CallOption interface{ applyCall(*callOptions) }

// JobOption says how a job is to be run. It is a [SubmitOption] and a [ChildOption].
type JobOption func(*pb.JobSubmission)

func (o JobOption) applySubmit(s *submission) { o(s.job) }
func (o JobOption) applyChild(s *submission)  { o(s.job) }

// WithDefinitionVersion pins a version of the definition. Default: the newest.
func WithDefinitionVersion(version int) JobOption {
	return func(job *pb.JobSubmission) { job.DefinitionVersion = int32(version) }
}

// WithLabels gives the job labels: at most 64, keys to 63, values to 256 characters.
func WithLabels(labels map[string]string) JobOption {
	return func(job *pb.JobSubmission) { job.Labels = labels }
}

// WithPriority is from -100 to 100; higher runs sooner. Default: the definition's.
func WithPriority(priority int) JobOption {
	return func(job *pb.JobSubmission) {
		value := int32(priority)
		job.Priority = &value
	}
}

// WithRunTime has the job run not before the time. It excludes [WithDelay]: the last one counts.
func WithRunTime(at time.Time) JobOption {
	return func(job *pb.JobSubmission) { job.Start = &pb.JobSubmission_RunTime{RunTime: timestamppb.New(at)} }
}

// WithDelay has the job run not before this long after acceptance, at most 10 years. It excludes [WithRunTime]: the last one
// counts.
func WithDelay(delay time.Duration) JobOption {
	return func(job *pb.JobSubmission) { job.Start = &pb.JobSubmission_Delay{Delay: durationpb.New(delay)} }
}

// WithExpireTime has the job expire when it has not been started by then. Default: never.
func WithExpireTime(at time.Time) JobOption {
	return func(job *pb.JobSubmission) { job.ExpireTime = timestamppb.New(at) }
}

// WithQueue is the queue to wait in. Default: the definition's.
func WithQueue(queue string) JobOption {
	return func(job *pb.JobSubmission) { job.Queue = queue }
}

// WithFairnessKey is the key among which the queue shares its workers fairly, such as a tenant. At most 256 characters.
// Default: what the definition gives.
func WithFairnessKey(key string) JobOption {
	return func(job *pb.JobSubmission) { job.FairnessKey = key }
}

// WithRetryPolicy replaces the definition's.
func WithRetryPolicy(policy *pb.RetryPolicy) JobOption {
	return func(job *pb.JobSubmission) { job.RetryPolicy = policy }
}

// WithRunTimeout replaces the definition's.
func WithRunTimeout(timeout time.Duration) JobOption {
	return func(job *pb.JobSubmission) { job.RunTimeout = durationpb.New(timeout) }
}

// WithDemands replaces the definition's demands of a worker.
func WithDemands(demands *pb.Demands) JobOption {
	return func(job *pb.JobSubmission) { job.Demands = demands }
}

// WithSticky keeps the job to the worker of an earlier one. Default: any worker that will do.
func WithSticky(jobID string, mode pb.StickyMode) JobOption {
	return func(job *pb.JobSubmission) { job.Sticky = &pb.Sticky{JobId: jobID, Mode: mode} }
}

// WithDependencies must all come about before the job may start. At most 100. Default: nothing.
func WithDependencies(dependencies ...*pb.Dependency) JobOption {
	return func(job *pb.JobSubmission) { job.Dependencies = dependencies }
}

// WithTrace is the W3C trace context that the job belongs to. Default: that of the span of the submission, if there is one.
func WithTrace(traceparent, tracestate string) JobOption {
	return func(job *pb.JobSubmission) { job.Traceparent, job.Tracestate = traceparent, tracestate }
}

type submitOption func(*submission)

func (o submitOption) applySubmit(s *submission) { o(s) }

// WithIdempotencyKey is a key of your business, at most 256 characters: a second submission with it is the same job, or what
// the policy says. The unspecified policy is USE_EXISTING.
func WithIdempotencyKey(key string, policy pb.IdempotencyConflictPolicy) SubmitOption {
	return submitOption(func(s *submission) {
		s.job.IdempotencyKey, s.job.IdempotencyConflictPolicy = key, policy
	})
}

// Batch is an option of submissions; see [WithBatch].
type Batch string

// WithBatch makes the jobs members of the open batch whose job this is.
func WithBatch(batchJobID string) Batch { return Batch(batchJobID) }

func (b Batch) applySubmit(s *submission)     { s.batchJobID = string(b) }
func (b Batch) applySubmitMany(s *submission) { s.batchJobID = string(b) }

type childOption func(*submission)

func (o childOption) applyChild(s *submission) { o(s) }

// WithChildKey is what a child is known by when the handler runs again. Default: its number among those that the handler
// submits.
func WithChildKey(key string) ChildOption {
	return childOption(func(s *submission) { s.childKey = key })
}

// WithDetached has a child go on when its parent ends. Else it is cancelled then.
func WithDetached() ChildOption {
	return childOption(func(s *submission) { s.detached = true })
}

// RequestID is an option of calls that change something, and of submissions; see [WithRequestID].
type RequestID string

// WithRequestID is a UUID that makes repeats of the call harmless, over restarts of this process too. Default: a new one, which
// holds for the repeats that the call makes itself.
func WithRequestID(id string) RequestID { return RequestID(id) }

func (r RequestID) applySubmit(s *submission)     { s.requestID = string(r) }
func (r RequestID) applySubmitMany(s *submission) { s.requestID = string(r) }
func (r RequestID) applyCall(o *callOptions)      { o.requestID = string(r) }
