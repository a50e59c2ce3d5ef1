package muster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"muster.dev/sdk/go/internal/attempt"
	"muster.dev/sdk/go/internal/core"
	"muster.dev/sdk/go/internal/uuid"
	pb "muster.dev/sdk/go/musterpb"
)

const maxProgressMessage = 256

// Job is what a handler works on. Its methods may be called by many goroutines; after the handler has returned, what it says
// is not heard.
type Job struct {
	assignment *pb.Assignment
	outlet     attempt.Outlet
	traceField traceFields
	children   *children
	// worker is where the records of the logger go besides the attempt's log.
	worker *slog.Logger

	mu        sync.Mutex
	extension time.Duration
	logged    int64
	logger    *slog.Logger
	ended     bool
}

type jobKey struct{}

// JobFrom gives the job whose handler has the context, or one made of it. nil outside of handlers.
func JobFrom(ctx context.Context) *Job {
	job, _ := ctx.Value(jobKey{}).(*Job)
	return job
}

// handledJobID is the UUID of the job whose handler has the context. Empty outside of handlers, and in what goes on with the
// context once the handler has returned.
func handledJobID(ctx context.Context) (id string) {
	if job := JobFrom(ctx); job != nil {
		job.whileRunning(func() { id = job.ID() })
	}
	return id
}

// ID is the job's UUID.
func (j *Job) ID() string { return uuid.Text(j.assignment.JobId) }

// Attempt is the number of the attempt; it rises within a job and may skip.
func (j *Job) Attempt() int { return int(j.assignment.Attempt) }

// AttemptsCounted are those before this one that counted towards the retry policy.
func (j *Job) AttemptsCounted() int { return int(j.assignment.AttemptsCounted) }

// Namespace is the job's.
func (j *Job) Namespace() string { return j.assignment.Namespace }

// Definition is the name of the job's definition.
func (j *Job) Definition() string { return j.assignment.Definition }

// DefinitionVersion is the version that the job has pinned.
func (j *Job) DefinitionVersion() int { return int(j.assignment.DefinitionVersion) }

// RunTimeout is the longest that the handler may run, as its definition says; what it asks for later is not in it.
func (j *Job) RunTimeout() time.Duration { return core.RunTimeoutOf(j.assignment) }

// Input is the input as it was submitted, byte for byte. nil: none was.
func (j *Job) Input() *pb.Payload { return j.assignment.Input }

// IdempotencyKey is the same for every attempt of the job: pass it to services that keep duplicates out.
func (j *Job) IdempotencyKey() string { return j.ID() }

// FencingToken is higher for each later attempt: a store that remembers the highest can refuse writes of those before.
func (j *Job) FencingToken() int64 { return int64(j.assignment.Attempt) }

// Traceparent is the W3C trace context for what the handler calls: of the handler's own span where the program has set up
// OpenTelemetry, else of the attempt. Empty: none.
func (j *Job) Traceparent() string { return j.traceField.traceparent }

// Tracestate is the W3C trace state that goes with [Job.Traceparent].
func (j *Job) Tracestate() string { return j.traceField.tracestate }

// LastCheckpoint reads what an earlier attempt left with [Job.Checkpoint] into target, a pointer, as [Decode] does. False:
// nothing was left, and the target is as it was.
//
// Errors: *[PayloadError].
func (j *Job) LastCheckpoint(target any) (bool, error) {
	if j.assignment.Checkpoint == nil {
		return false, nil
	}
	return true, decodeInto(j.assignment.Checkpoint, target)
}

// Checkpoint keeps what a later attempt may start from: a value as [Encode] takes it. It is sent within a second, and before
// the report if this attempt fails.
//
// Errors: *[PayloadError] when the value can't be written, is nil, or is larger than the server takes.
func (j *Job) Checkpoint(value any) error {
	checkpoint, err := Encode(value)
	if err != nil {
		return err
	}
	if checkpoint == nil {
		return &PayloadError{Message: "a checkpoint needs a value"}
	}
	if largest := j.outlet.MaxPayload(); largest > 0 && len(checkpoint.Data) > largest {
		return &PayloadError{Message: fmt.Sprintf("the checkpoint has %d bytes, and at most %d may be", len(checkpoint.Data), largest)}
	}
	j.whileRunning(func() { j.outlet.Checkpoint(checkpoint) })
	return nil
}

// Progress says how far the handler is: a fraction from 0 to 1, what lies outside is cut, and a message for people, which may
// be empty and is cut after 256 characters. It is sent within a second.
func (j *Job) Progress(fraction float64, message string) {
	if math.IsNaN(fraction) {
		fraction = 0
	}
	progress := &pb.Progress{Fraction: min(1, max(0, fraction)), Message: firstRunes(cut(message, 4*maxProgressMessage), maxProgressMessage)}
	j.whileRunning(func() { j.outlet.Progress(progress) })
}

// ExtendRunTimeout asks for more time than the run timeout, which still counts from the handler's start; several calls add
// up. It is sent at once where a second could be too late. It moves neither the total timeout of the job nor how long it may
// be silent, and comes too late once the context's cause says [StopRunTimeout].
//
// It fails when the time is not above 0, or would let the handler run for more than 30 days in all.
func (j *Job) ExtendRunTimeout(more time.Duration) error {
	if more <= 0 {
		return fmt.Errorf("a run timeout can't be extended by %s", more)
	}
	var err error
	j.whileRunning(func() {
		if j.RunTimeout()+j.extension > core.MaxRunTime-min(more, core.MaxRunTime) {
			err = errors.New("the handler could run for longer than the 30 days that may be")
			return
		}
		j.extension += more
		j.outlet.ExtendRunTimeout(j.extension)
	})
	return err
}

// Logger writes to the attempt's log, which muster logs and ListAttemptLogs show soon after, and to the worker's logger, with
// the job's id and the attempt. Records of every level are kept: the newest 64 KiB of an attempt, as long as its job. A
// message is cut after 8 KiB; of attributes 32 are kept, and 8 KiB together with the message. Text stays as it is, anything
// else becomes JSON; those of a group have its name and a dot before theirs.
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

// keep numbers a record and hands it on, so that the order of the numbers is that of the records.
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

func firstRunes(text string, most int) string {
	for at := range text {
		if most == 0 {
			return text[:at]
		}
		most--
	}
	return text
}
