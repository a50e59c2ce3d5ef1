package muster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"muster.dev/sdk/go/internal/rpcerror"
	pb "muster.dev/sdk/go/musterpb"
)

// Error is a call that failed. Get it with [errors.As]; ask for a reason with [errors.Is] and a [Reason].
type Error struct {
	// Code is the gRPC status code.
	Code codes.Code
	// Message says what happened, for people.
	Message string
	// Reason is stable, such as "JOB_NOT_FOUND"; musterpb.ErrorReason has them all. Empty when the server sent none, as when
	// it can't be reached.
	Reason Reason
	// Metadata are the variables of the message.
	Metadata map[string]string
	// FieldViolations say what is wrong with the request, field by field. Empty unless Code is InvalidArgument.
	FieldViolations []FieldViolation
	// RetryDelay is when the server wants to be asked again; 0: it did not say.
	RetryDelay time.Duration

	cause error
}

// FieldViolation is a field that the server refused.
type FieldViolation struct {
	// Field is the path to it, such as "job.labels".
	Field string
	// Description says what is wrong.
	Description string
}

// Reason is the stable reason of an [Error]. As the target of [errors.Is] it matches errors that have it:
//
//	errors.Is(err, muster.Reason("JOB_NOT_FOUND"))
type Reason string

// Error makes a reason a target of errors.Is.
func (r Reason) Error() string { return string(r) }

// ReasonWaitTimeout is that of [Client.Wait] and [Result] whose context ended before the job.
const ReasonWaitTimeout = Reason("WAIT_TIMEOUT")

func (e *Error) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("%s: %s", e.Code, e.Message)
	}
	return fmt.Sprintf("%s (%s): %s", e.Code, e.Reason, e.Message)
}

// Unwrap gives what the call failed with underneath.
func (e *Error) Unwrap() error { return e.cause }

// Is says whether the error has the [Reason].
func (e *Error) Is(target error) bool {
	reason, ok := target.(Reason)
	return ok && reason == e.Reason && reason != ""
}

// GRPCStatus lets package status of gRPC read the error.
func (e *Error) GRPCStatus() *status.Status {
	if said, ok := status.FromError(e.cause); ok && e.cause != nil {
		return said
	}
	return status.New(e.Code, e.Message)
}

// asError makes an Error of what a call failed with; nil stays nil.
func asError(err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	facts := rpcerror.Of(err)
	made := &Error{
		Code:       facts.Code,
		Message:    facts.Message,
		Reason:     Reason(facts.Reason),
		Metadata:   facts.Metadata,
		RetryDelay: facts.RetryDelay,
		cause:      err,
	}
	for _, violation := range facts.Violations {
		made.FieldViolations = append(made.FieldViolations, FieldViolation(violation))
	}
	return made
}

// JobFailedError is a job that ended without a result: FAILED, CANCELLED, EXPIRED or SKIPPED.
type JobFailedError struct {
	// Job is the job as it ended; Job.GetFailure says why.
	Job *pb.Job
}

func (e *JobFailedError) Error() string {
	text := fmt.Sprintf("job %s ended %s", e.Job.JobId, StateName(e.Job.State))
	if failure := e.Job.GetFailure(); failure != nil {
		return fmt.Sprintf("%s: %s: %s", text, orElse(failure.Type, "failure"), failure.Message)
	}
	if e.Job.StateReason != "" {
		return text + ": " + e.Job.StateReason
	}
	return text
}

// waitTimeout is a wait whose context ended before the job.
func waitTimeout(ctx context.Context, job *pb.Job) error {
	message := "the wait was over before the job was read"
	if job != nil {
		message = fmt.Sprintf("job %s has not ended yet: it is %s", job.JobId, StateName(job.State))
	}
	made := contextError(ctx, message)
	made.Reason = ReasonWaitTimeout
	return made
}

// contextError is for what the end of the context has ended.
func contextError(ctx context.Context, message string) *Error {
	code := codes.DeadlineExceeded
	if errors.Is(ctx.Err(), context.Canceled) {
		code = codes.Canceled
	}
	return &Error{Code: code, Message: message, cause: ctx.Err()}
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
