package muster

import (
	"context"
	"time"

	"github.com/muster-jobs/muster/sdk/go/internal/core"
	"github.com/muster-jobs/muster/sdk/go/internal/uuid"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// runner runs the handlers of a worker, each on its own goroutines.
type runner struct {
	worker *Worker
	core   *core.Core
	// base carries the values of the context that was passed to Run.
	base context.Context
}

func (r *runner) Start(execution *core.Execution) func(core.StopReason) {
	ctx, cancel := context.WithCancelCause(r.base)
	go r.run(ctx, cancel, execution)
	return func(reason core.StopReason) { cancel(&Stopped{StopReason(reason)}) }
}

func (r *runner) run(ctx context.Context, cancel context.CancelCauseFunc, execution *core.Execution) {
	defer cancel(nil)
	// An attempt that was given back meanwhile must not run.
	if !r.core.Enter(execution) {
		return
	}
	assignment := execution.Assignment
	job := &Job{
		assignment: assignment,
		outlet:     outlet{r, execution},
		worker:     r.worker.logger,
		children: &children{
			jobs: r.worker.jobs,
			to:   destination{r.worker.options.Address, assignment.Namespace},
			parent: &pb.ParentAttempt{
				JobId:     uuid.Text(assignment.JobId),
				Attempt:   assignment.Attempt,
				SessionId: r.worker.SessionID(),
			},
		},
	}
	r.core.Ended(execution, runHandler(ctx, r.worker.handlers[assignment.Handler].run, job))
}

// outlet passes what a handler reports to the core.
type outlet struct {
	runner    *runner
	execution *core.Execution
}

func (o outlet) Progress(progress *pb.Progress) { o.runner.core.Progress(o.execution, progress) }

func (o outlet) Checkpoint(checkpoint *pb.Payload) {
	o.runner.core.Checkpoint(o.execution, checkpoint)
}

func (o outlet) ExtendRunTimeout(extension time.Duration) {
	o.runner.core.ExtendRunTimeout(o.execution, extension)
}

func (o outlet) Log(record *pb.LogRecord) { o.runner.core.Log(o.execution, record) }

func (o outlet) MaxPayload() int { return int(o.runner.worker.maxPayload.Load()) }
