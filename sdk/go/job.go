package muster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/muster-jobs/muster/sdk/go/internal/attempt"
	"github.com/muster-jobs/muster/sdk/go/internal/core"
	"github.com/muster-jobs/muster/sdk/go/internal/uuid"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// Job is the job that a handler works on. Its methods are safe for concurrent use. After the handler has returned,
// updates are ignored.
type Job struct {
	assignment *workerpb.Assignment
	outlet     attempt.Outlet
	traceField traceFields
	children   *children
	// worker is the worker's logger; records go there and to the attempt's log.
	worker *slog.Logger

	mu        sync.Mutex
	extension time.Duration
	logged    int64
	logger    *slog.Logger
	ended     bool
}

type jobKey struct{}

// JobFrom returns the job whose handler received the context, or a context derived from it. It returns nil outside of
// handlers.
func JobFrom(ctx context.Context) *Job {
	job, _ := ctx.Value(jobKey{}).(*Job)
	return job
}

// ID is the job's UUID.
func (j *Job) ID() string { return uuid.Text(j.assignment.JobId) }

// Attempt is the number of the attempt. It increases within a job, possibly with gaps.
func (j *Job) Attempt() int { return int(j.assignment.Attempt) }

// AttemptCount is the number of earlier attempts that counted towards the retry policy.
func (j *Job) AttemptCount() int { return int(j.assignment.AttemptCount) }

// Namespace is the job's namespace.
func (j *Job) Namespace() string { return j.assignment.Namespace }

// Definition is the name of the job's definition.
func (j *Job) Definition() string { return j.assignment.Definition }

// DefinitionVersion is the version of the definition that the job is pinned to.
func (j *Job) DefinitionVersion() int { return int(j.assignment.DefinitionVersion) }

// RunTimeout is the maximum run time of the handler as its definition sets it, without extensions that the handler has
// requested.
func (j *Job) RunTimeout() time.Duration { return core.RunTimeoutOf(j.assignment) }

// Input is the submitted input, byte for byte. nil means none.
func (j *Job) Input() *pb.Payload { return j.assignment.Input }

// IdempotencyKey is the same for every attempt of the job. Pass it to services that reject duplicates.
func (j *Job) IdempotencyKey() string { return j.ID() }

// FencingToken is higher for each later attempt: a store that remembers the highest token can refuse writes of earlier
// attempts.
func (j *Job) FencingToken() int64 { return int64(j.assignment.Attempt) }

// Traceparent is the W3C trace context for calls of the handler: that of the handler's span if the program has set up
// OpenTelemetry, else that of the attempt. Empty means none.
func (j *Job) Traceparent() string { return j.traceField.traceparent }

// Tracestate is the W3C trace state that belongs to [Job.Traceparent].
func (j *Job) Tracestate() string { return j.traceField.tracestate }

// LastCheckpoint reads the checkpoint of an earlier attempt ([Job.Checkpoint]) into target, a pointer, as [Decode]
// does. It returns false and leaves the target unchanged if there is none.
//
// Errors: *[PayloadError].
func (j *Job) LastCheckpoint(target any) (bool, error) {
	if j.assignment.Checkpoint == nil {
		return false, nil
	}
	return true, decodeInto(j.assignment.Checkpoint, target)
}

// Checkpoint stores a value from which a later attempt may continue. [Encode] encodes it. It is sent within a second,
// and before the report if this attempt fails.
//
// Errors: *[PayloadError] when the value can't be encoded, is nil, or is larger than the server accepts.
func (j *Job) Checkpoint(value any) error {
	checkpoint, err := Encode(value)
	if err != nil {
		return err
	}
	if checkpoint == nil {
		return &PayloadError{Message: "a checkpoint needs a value"}
	}
	if largest := j.outlet.MaxPayload(); largest > 0 && len(checkpoint.Data) > largest {
		return &PayloadError{Message: fmt.Sprintf("the checkpoint has %d bytes; the maximum is %d", len(checkpoint.Data), largest)}
	}
	j.whileRunning(func() { j.outlet.Checkpoint(checkpoint) })
	return nil
}

// ErrSuspended is the error of [Job.Suspend]. A handler must return it, as it is or wrapped.
var ErrSuspended = errors.New("the handler has suspended its job; it has to return this error, and runs again later")

// Suspend ends this run of the handler without counting it: the handler must return its error. Call it when the reason of
// the context's [Stopped] is [StopSuspended]: the handler runs again from its start once the job is resumed. When nobody
// has asked, it runs again soon. It continues from checkpoint, as for [Job.Checkpoint]; nil: from the last one.
//
// Errors: [ErrSuspended], always, unless the checkpoint is refused: *[PayloadError].
func (j *Job) Suspend(checkpoint any) error {
	if checkpoint != nil {
		if err := j.Checkpoint(checkpoint); err != nil {
			return err
		}
	}
	return ErrSuspended
}

// ExtendRunTimeout requests more time than the run timeout, which still counts from the handler's start; several calls
// add up. The request is sent at once if a second could be too late. It changes neither the job's total timeout nor its
// progress timeout, and has no effect once the context's cause is [StopRunTimeout].
//
// It fails when the time is not above 0, or would let the handler run for more than 30 days in total.
func (j *Job) ExtendRunTimeout(more time.Duration) error {
	if more <= 0 {
		return fmt.Errorf("a run timeout can't be extended by %s", more)
	}
	var err error
	j.whileRunning(func() {
		if j.RunTimeout()+j.extension > core.MaxRunTime-min(more, core.MaxRunTime) {
			err = errors.New("the handler could run for more than the maximum of 30 days")
			return
		}
		j.extension += more
		j.outlet.ExtendRunTimeout(j.extension)
	})
	return err
}

// Logger writes to the attempt's log, which muster logs and ListAttemptLogs show soon after, and to the worker's
// logger, with the job's id and the attempt. Records of every level are kept: the newest 64 KiB of an attempt, for as
// long as its job is kept. A message is cut after 8 KiB. At most 32 attributes are kept, and at most 8 KiB together
// with the message. Text attributes stay unchanged, other values become JSON; the keys of a group's attributes are
// prefixed with its name and a dot.
func (j *Job) Logger() *slog.Logger {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.logger == nil {
		j.logger = slog.New(newLogHandler(j))
	}
	return j.logger
}

func (j *Job) whileRunning(say func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.ended {
		say()
	}
}

// keep numbers a record and passes it on in one step, so that the numbers follow the order of the records.
func (j *Job) keep(record *pb.LogRecord) {
	j.whileRunning(func() {
		j.logged++
		record.Sequence = j.logged
		j.outlet.Log(record)
	})
}

func (j *Job) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = true
}

func firstRunes(text string, maxRunes int) string {
	for at := range text {
		if maxRunes == 0 {
			return text[:at]
		}
		maxRunes--
	}
	return text
}
