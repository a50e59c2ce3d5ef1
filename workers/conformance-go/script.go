package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/muster-jobs/muster/sdk/go"
)

// script is the input of the handler of that name, which runs the steps in order.
type script struct {
	Steps []step `json:"steps"`
}

type step struct {
	Do           string          `json:"do"`
	Value        json.RawMessage `json:"value"`
	Size         int             `json:"size"`
	Type         string          `json:"type"`
	Message      string          `json:"message"`
	NonRetryable bool            `json:"non_retryable"`
	RetryDelayMS *int64          `json:"retry_delay_ms"`
	Fraction     float64         `json:"fraction"`
	Done         *int64          `json:"done"`
	Total        int64           `json:"total"`
	Unit         string          `json:"unit"`
	MS           int64           `json:"ms"`
	Then         []step          `json:"then"`
	Definition   string          `json:"definition"`
	Input        json.RawMessage `json:"input"`
	Key          string          `json:"key"`
	Code         int             `json:"code"`
}

// facts are the result of the step return_context.
type facts struct {
	JobID        string          `json:"job_id"`
	Attempt      int             `json:"attempt"`
	AttemptCount int             `json:"attempt_count"`
	Definition   string          `json:"definition"`
	Checkpoint   json.RawMessage `json:"checkpoint"`
	Traceparent  string          `json:"traceparent"`
}

// returned is the result that ends a script.
type returned struct{ result any }

// scriptRun is one run of a script, with the state that steps share.
type scriptRun struct {
	job      *muster.Job
	children []muster.Child
	results  []json.RawMessage
}

func runScript(ctx context.Context, input script) (any, error) {
	r := &scriptRun{job: muster.JobFrom(ctx), results: []json.RawMessage{}}
	end, err := r.steps(ctx, input.Steps)
	if err != nil || end == nil {
		return nil, err
	}
	return end.result, nil
}

// steps runs steps until one returns a result; nil: none does.
func (r *scriptRun) steps(ctx context.Context, steps []step) (*returned, error) {
	for _, step := range steps {
		if end, err := r.step(ctx, step); end != nil || err != nil {
			return end, err
		}
	}
	return nil, nil
}

func (r *scriptRun) step(ctx context.Context, step step) (*returned, error) {
	switch step.Do {
	case "return":
		return &returned{jsonOrNull(step.Value)}, nil
	case "return_bytes":
		return &returned{make([]byte, step.Size)}, nil
	case "return_context":
		return r.facts()
	case "return_children":
		return &returned{r.results}, nil
	case "fail":
		return nil, failure(step)
	case "raise":
		return nil, errors.New(step.Message)
	case "panic":
		panic(step.Message)
	case "until_stopped":
		<-ctx.Done()
		if step.Then == nil {
			return nil, context.Cause(ctx)
		}
		return r.steps(ctx, step.Then)
	case "exit":
		os.Exit(step.Code)
	}
	return nil, r.act(ctx, step)
}

// act runs the steps that never return a result.
func (r *scriptRun) act(ctx context.Context, step step) (err error) {
	switch step.Do {
	case "progress":
		if step.Done == nil {
			r.job.Progress(step.Fraction, step.Message)
		} else {
			r.job.ProgressCounts(muster.ProgressCounts{Done: *step.Done, Total: step.Total, Unit: step.Unit}, step.Message)
		}
	case "checkpoint":
		return r.job.Checkpoint(jsonOrNull(step.Value))
	case "suspend":
		return r.job.Suspend(jsonOrNull(step.Value))
	case "log":
		r.job.Logger().Info(step.Message)
	case "extend":
		return r.job.ExtendRunTimeout(milliseconds(step.MS))
	case "sleep":
		return sleep(ctx, milliseconds(step.MS))
	case "deaf_sleep":
		time.Sleep(milliseconds(step.MS))
	case "child":
		child, err := r.job.Submit(ctx, step.Definition, jsonOrNull(step.Input), muster.WithChildKey(step.Key))
		r.children = append(r.children, child)
		return err
	case "wait_children":
		r.results, err = muster.WaitChildren[json.RawMessage](ctx, r.children...)
	default:
		return fmt.Errorf("no step does %q", step.Do)
	}
	return err
}

func (r *scriptRun) facts() (*returned, error) {
	made := facts{
		JobID:        r.job.ID(),
		Attempt:      r.job.Attempt(),
		AttemptCount: r.job.AttemptCount(),
		Definition:   r.job.Definition(),
		Traceparent:  r.job.Traceparent(),
	}
	_, err := r.job.LastCheckpoint(&made.Checkpoint)
	return &returned{made}, err
}

func failure(step step) error {
	made := &muster.Failure{Type: step.Type, Message: step.Message, NonRetryable: step.NonRetryable}
	if step.RetryDelayMS != nil {
		delay := milliseconds(*step.RetryDelayMS)
		made.RetryDelay = &delay
	}
	return made
}

func sleep(ctx context.Context, wait time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(wait):
		return nil
	}
}

func milliseconds(count int64) time.Duration { return time.Duration(count) * time.Millisecond }

// jsonOrNull is for a value that a step may omit.
func jsonOrNull(value json.RawMessage) json.RawMessage {
	if value == nil {
		return json.RawMessage("null")
	}
	return value
}
