// Package mustertest runs handlers without a worker and without a control plane, for tests. Inputs and results are
// encoded and decoded as in production.
package mustertest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/muster-jobs/muster/sdk/go"
	"github.com/muster-jobs/muster/sdk/go/internal/attempt"
	"github.com/muster-jobs/muster/sdk/go/internal/uuid"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

const defaultMaxPayload = 512 * 1024

// Options describes the attempt that a handler runs. The zero value is the first attempt of a new job.
type Options struct {
	// JobID is the job's UUID. Default: a new one.
	JobID string
	// Attempt is the attempt's number. Default: 1.
	Attempt int
	// AttemptCount is the number of earlier attempts that counted.
	AttemptCount int
	// Namespace of the job. Default: "default".
	Namespace string
	// Definition of the job. Default: "test".
	Definition string
	// DefinitionVersion is the version of the definition. Default: 1.
	DefinitionVersion int
	// RunTimeout is the handler's run timeout; it is not enforced here. Default: an hour.
	RunTimeout time.Duration
	// LastCheckpoint is the checkpoint of an earlier attempt: a value that [muster.Encode] accepts. nil means none.
	LastCheckpoint any
	// Traceparent and Tracestate are the W3C trace context of the attempt.
	Traceparent, Tracestate string
	// MaxPayload is the maximum size of a checkpoint in bytes. Default: 512 KiB.
	MaxPayload int
}

// Outcome is the result of a handler, with everything that it reported.
type Outcome[Out any] struct {
	// Result is the returned value, as a client reads it.
	Result Out
	// Payload is the encoded result; nil if there is none.
	Payload *pb.Payload
	// Failure is the reported failure; nil if the handler did not fail.
	Failure *pb.Failure
	// Suspended is true when the handler has suspended its job, or waits for children, and would run again.
	Suspended bool
	// Progress contains all progress reports, in order.
	Progress []*pb.Progress
	// Checkpoints contains all checkpoints, in order.
	Checkpoints []*pb.Payload
	// Logs contains all records of the job's logger, in order.
	Logs []*pb.LogRecord
	// Extension is the total time requested beyond the run timeout.
	Extension time.Duration
}

// Run runs a handler and returns its outcome. The input is what a client would submit: a value that [muster.Encode]
// accepts.
//
// The handler's context is derived from ctx. A worker stops a handler by cancelling its context with a cause; a test
// does the same with [context.WithCancelCause] and a *[muster.Stopped]. There is no worker to run children:
// [muster.Job.Submit] fails.
//
// It panics when the input can't be encoded.
func Run[In, Out any](ctx context.Context, handler func(context.Context, In) (Out, error), input any) Outcome[Out] {
	return RunWith(ctx, Options{}, handler, input)
}

// RunWith is [Run] with a given attempt.
func RunWith[In, Out any](ctx context.Context, options Options, handler func(context.Context, In) (Out, error), input any) Outcome[Out] {
	said := &recorder{maxPayload: options.MaxPayload}
	if said.maxPayload == 0 {
		said.maxPayload = defaultMaxPayload
	}
	report := attempt.Run(ctx, muster.Typed(handler), options.assignment(input), said)
	said.mu.Lock()
	defer said.mu.Unlock()
	outcome := Outcome[Out]{
		Payload:     report.GetResult(),
		Failure:     report.GetFailure(),
		Suspended:   report.GetSuspended() != nil,
		Progress:    said.progress,
		Checkpoints: said.checkpoints,
		Logs:        said.logs,
		Extension:   said.extension,
	}
	if outcome.Payload != nil {
		var err error
		if outcome.Result, err = muster.Decode[Out](outcome.Payload); err != nil {
			panic(fmt.Sprintf("mustertest: the result can't be read back: %v", err))
		}
	}
	return outcome
}

func (o Options) assignment(input any) *workerpb.Assignment {
	made := &workerpb.Assignment{
		JobId:             idOf(o.JobID),
		Attempt:           int32(max(1, o.Attempt)),
		AttemptCount:      int32(o.AttemptCount),
		Namespace:         orElse(o.Namespace, "default"),
		Definition:        orElse(o.Definition, "test"),
		DefinitionVersion: int32(max(1, o.DefinitionVersion)),
		Input:             payloadOf(input),
		Checkpoint:        payloadOf(o.LastCheckpoint),
		Traceparent:       o.Traceparent,
		Tracestate:        o.Tracestate,
	}
	made.Handler = made.Definition
	if o.RunTimeout > 0 {
		made.RunTimeout = durationpb.New(o.RunTimeout)
	}
	return made
}

func idOf(text string) []byte {
	id, err := uuid.Bytes(orElse(text, uuid.New()))
	if err != nil {
		panic("mustertest: JobID: " + err.Error())
	}
	return id
}

func payloadOf(value any) *pb.Payload {
	payload, err := muster.Encode(value)
	if err != nil {
		panic(fmt.Sprintf("mustertest: %v", err))
	}
	return payload
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// recorder records what a handler reports.
type recorder struct {
	maxPayload int

	mu          sync.Mutex
	progress    []*pb.Progress
	checkpoints []*pb.Payload
	logs        []*pb.LogRecord
	extension   time.Duration
}

func (r *recorder) Progress(progress *pb.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress = append(r.progress, progress)
}

func (r *recorder) Checkpoint(checkpoint *pb.Payload) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checkpoints = append(r.checkpoints, checkpoint)
}

func (r *recorder) ExtendRunTimeout(extension time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.extension = extension
}

func (r *recorder) Log(record *pb.LogRecord) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logs = append(r.logs, record)
}

func (r *recorder) MaxPayload() int { return r.maxPayload }
