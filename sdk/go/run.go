package muster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/muster-jobs/muster/sdk/go/internal/attempt"
	"github.com/muster-jobs/muster/sdk/go/internal/core"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// errGoexit is the error of a handler that called runtime.Goexit, as t.FailNow does.
var errGoexit = errors.New("the handler ended its goroutine by runtime.Goexit instead of returning")

func init() {
	attempt.Run = func(ctx context.Context, handler any, assignment *workerpb.Assignment, outlet attempt.Outlet) *workerpb.AttemptReport {
		job := &Job{assignment: assignment, outlet: outlet, worker: slog.New(slog.DiscardHandler)}
		return runHandler(ctx, handler.(HandlerFunc), job)
	}
}

// runHandler runs a handler until it ends in any way, and returns the outcome.
func runHandler(ctx context.Context, handler HandlerFunc, job *Job) core.Outcome {
	ctx, span := startProcessSpan(ctx, job.assignment)
	job.traceField = traceFieldsOf(ctx)
	result, err := call(context.WithValue(ctx, jobKey{}, job), handler, job.assignment.Input)
	job.end()
	outcome, err := outcomeOf(result, err)
	endProcessSpan(span, err)
	return outcome
}

// outcomeOf returns the outcome to report, and the error behind it. An error whose methods panic, such as a nil pointer
// in an error interface, must fail only its own attempt.
func outcomeOf(result *pb.Payload, err error) (outcome core.Outcome, reported error) {
	defer func() {
		if value := recover(); value != nil {
			reported = fmt.Errorf("the handler returned a %T that can't be written as text: %v", err, value)
			outcome = core.Failure(failureOf(reported))
		}
	}()
	if err == nil {
		err = checkText(result)
	}
	var waits *WaitsForChildren
	switch {
	case err == nil && result == nil:
		return core.Result(&pb.Payload{}), nil
	case err == nil:
		return core.Result(result), nil
	case errors.As(err, &waits):
		return core.Suspension(waits.ids()), nil
	case errors.Is(err, ErrSuspended):
		return core.Suspension(nil), nil
	default:
		return core.Failure(failureOf(err)), err
	}
}

// call turns a panic into an error. The handler has its own goroutine: if it calls Goexit, this goroutine must survive
// to report the outcome.
func call(ctx context.Context, handler HandlerFunc, input *pb.Payload) (result *pb.Payload, err error) {
	done := make(chan struct{})
	returned := false
	go func() {
		defer close(done)
		defer func() {
			if returned {
				return
			}
			if value := recover(); value != nil {
				err = &panicked{value: value, stack: debug.Stack()}
			} else {
				err = errGoexit
			}
		}()
		result, err = handler(ctx, input)
		returned = true
	}()
	<-done
	return result, err
}
