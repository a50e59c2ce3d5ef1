package muster

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// submission collects the options of a submission.
type submission struct {
	job        *pb.JobSubmission
	requestID  string
	batchJobID string
	childKey   string
	detached   bool
}

// SubmitOption is an option of [Client.Submit]: a [JobOption], or one that only Submit accepts.
type SubmitOption interface{ applySubmit(*submission) }

// SubmitManyOption is an option of [Client.SubmitMany] for all its jobs: [WithRequestID] and [WithBatch].
type SubmitManyOption interface{ applySubmitMany(*submission) }

// ChildOption is an option of [Job.Submit]: a [JobOption], or one that only Submit of a job accepts.
type ChildOption interface{ applyChild(*submission) }

// CallOption is an option of calls that change state.
type CallOption interface{ applyCall(*callOptions) }

// JobOption determines how a job runs. It is a [SubmitOption] and a [ChildOption].
type JobOption func(*pb.JobSubmission)

func (o JobOption) applySubmit(s *submission) { o(s.job) }
func (o JobOption) applyChild(s *submission)  { o(s.job) }

// WithDefinitionVersion pins a version of the definition. Default: the newest.
func WithDefinitionVersion(version int) JobOption {
	return func(job *pb.JobSubmission) { job.DefinitionVersion = int32(version) }
}

// WithLabels sets the job's labels: at most 64, keys of at most 63 and values of at most 256 characters.
func WithLabels(labels map[string]string) JobOption {
	return func(job *pb.JobSubmission) { job.Labels = labels }
}

// WithPriority sets the priority, from -100 to 100; jobs with a higher one run sooner. Default: the definition's.
func WithPriority(priority int) JobOption {
	return func(job *pb.JobSubmission) {
		value := int32(priority)
		job.Priority = &value
	}
}

// WithRunTime sets the earliest time at which the job runs. It excludes [WithDelay]: the last one counts.
func WithRunTime(at time.Time) JobOption {
	return func(job *pb.JobSubmission) { job.Start = &pb.JobSubmission_RunTime{RunTime: timestamppb.New(at)} }
}

// WithDelay sets the time from acceptance until the job may run, at most 10 years. It excludes [WithRunTime]: the last
// one counts.
func WithDelay(delay time.Duration) JobOption {
	return func(job *pb.JobSubmission) { job.Start = &pb.JobSubmission_Delay{Delay: durationpb.New(delay)} }
}

// WithExpireTime sets the time at which the job expires if it has not started. Default: never.
func WithExpireTime(at time.Time) JobOption {
	return func(job *pb.JobSubmission) { job.ExpireTime = timestamppb.New(at) }
}

// WithQueue sets the job's queue. Default: the definition's.
func WithQueue(queue string) JobOption {
	return func(job *pb.JobSubmission) { job.Queue = queue }
}

// WithFairnessKey sets the key by which the queue shares its workers fairly, such as a tenant. At most 256 characters.
// Default: that of the definition.
func WithFairnessKey(key string) JobOption {
	return func(job *pb.JobSubmission) { job.FairnessKey = key }
}

// WithSoftDeadline sets by when the job should have ended. Replaces the definition's.
func WithSoftDeadline(deadline *pb.SoftDeadline) JobOption {
	return func(job *pb.JobSubmission) { job.SoftDeadline = deadline }
}

// WithRetryPolicy replaces the definition's retry policy.
func WithRetryPolicy(policy *pb.RetryPolicy) JobOption {
	return func(job *pb.JobSubmission) { job.RetryPolicy = policy }
}

// WithRunTimeout replaces the definition's run timeout.
func WithRunTimeout(timeout time.Duration) JobOption {
	return func(job *pb.JobSubmission) { job.RunTimeout = durationpb.New(timeout) }
}

// WithDemands replaces the definition's demands on workers.
func WithDemands(demands *pb.Demands) JobOption {
	return func(job *pb.JobSubmission) { job.Demands = demands }
}

// WithSticky binds the job to the worker of an earlier job. Default: any suitable worker.
func WithSticky(jobID string, mode pb.StickyMode) JobOption {
	return func(job *pb.JobSubmission) { job.Sticky = &pb.Sticky{JobId: jobID, Mode: mode} }
}

// WithDependsOn sets the dependencies, at most 100. All must be fulfilled before the job may start. Default: none.
func WithDependsOn(dependencies ...*pb.Dependency) JobOption {
	return func(job *pb.JobSubmission) { job.DependsOn = dependencies }
}

// WithTrace sets the W3C trace context of the job. Default: that of the submission's span, if there is one.
func WithTrace(traceparent, tracestate string) JobOption {
	return func(job *pb.JobSubmission) { job.Traceparent, job.Tracestate = traceparent, tracestate }
}

type submitOption func(*submission)

func (o submitOption) applySubmit(s *submission) { o(s) }

// WithIdempotencyKey sets a key chosen by the application, at most 256 characters: a second submission with the same
// key yields the same job, or what the policy says. The unspecified policy is USE_EXISTING.
func WithIdempotencyKey(key string, policy pb.IdempotencyConflictPolicy) SubmitOption {
	return submitOption(func(s *submission) {
		s.job.IdempotencyKey, s.job.IdempotencyConflictPolicy = key, policy
	})
}

// Batch is a submission option; see [WithBatch].
type Batch string

// WithBatch adds the jobs to the open batch with this job id.
func WithBatch(batchJobID string) Batch { return Batch(batchJobID) }

func (b Batch) applySubmit(s *submission)     { s.batchJobID = string(b) }
func (b Batch) applySubmitMany(s *submission) { s.batchJobID = string(b) }

type childOption func(*submission)

func (o childOption) applyChild(s *submission) { o(s) }

// WithChildKey sets the key that identifies a child when the handler runs again. Default: the child's number in the
// order of submission.
func WithChildKey(key string) ChildOption {
	return childOption(func(s *submission) { s.childKey = key })
}

// WithDetached lets a child continue when its parent ends. Without it, the child is cancelled then.
func WithDetached() ChildOption {
	return childOption(func(s *submission) { s.detached = true })
}

// RequestID is an option of submissions and of calls that change state; see [WithRequestID].
type RequestID string

// WithRequestID sets a UUID that makes repeats of the call idempotent, also across restarts of this process. Default: a
// new one, which covers the repeats made by the call itself.
func WithRequestID(id string) RequestID { return RequestID(id) }

func (r RequestID) applySubmit(s *submission)     { s.requestID = string(r) }
func (r RequestID) applySubmitMany(s *submission) { s.requestID = string(r) }
func (r RequestID) applyCall(o *callOptions)      { o.requestID = string(r) }

func (r RequestID) applyPause(request *pb.PauseJobRequest)   { request.RequestId = string(r) }
func (r RequestID) applyCancel(request *pb.CancelJobRequest) { request.RequestId = string(r) }

// CancelOption is an option of [Client.Cancel]: [WithGrace] or [WithRequestID].
type CancelOption interface {
	applyCancel(request *pb.CancelJobRequest)
}

// Grace is an option of pauses and cancels; see [WithGrace].
type Grace time.Duration

// WithGrace sets how long the handler may take to stop, at most an hour; 0 cancels a job that runs at once. Default:
// CancelGrace of the definition.
func WithGrace(grace time.Duration) Grace { return Grace(grace) }

func (g Grace) applyPause(request *pb.PauseJobRequest) {
	request.Grace = durationpb.New(time.Duration(g))
}

func (g Grace) applyCancel(request *pb.CancelJobRequest) {
	request.Grace = durationpb.New(time.Duration(g))
}

// PauseOption is an option of [Client.Pause]: [WithRunning], [WithGrace], [WithStoppedTimeouts] or [WithRequestID].
type PauseOption interface {
	applyPause(request *pb.PauseJobRequest)
}

type pauseOption func(*pb.PauseJobRequest)

func (o pauseOption) applyPause(request *pb.PauseJobRequest) { o(request) }

// WithRunning also pauses a job that runs: its handler is asked to stop, and the attempt does not count. Without it such
// a job is refused.
func WithRunning() PauseOption {
	return pauseOption(func(request *pb.PauseJobRequest) { request.Running = true })
}

// WithStoppedTimeouts stops the total timeout while the job is paused: it starts anew when the job is resumed. Default: it
// runs on.
func WithStoppedTimeouts() PauseOption {
	return pauseOption(func(request *pb.PauseJobRequest) { request.Timeouts = pb.PausedTimeouts_PAUSED_TIMEOUTS_STOP })
}
