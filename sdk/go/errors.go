package muster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/muster-jobs/muster/sdk/go/internal/rpcerror"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// Error is the error of a failed call. Get it with [errors.As]; test for a reason with [errors.Is] and a [Reason].
type Error struct {
	// Code is the gRPC status code.
	Code codes.Code
	// Message is a readable description.
	Message string
	// Reason is stable, such as "JOB_NOT_FOUND"; musterpb.ErrorReason lists all reasons. It is empty when the server
	// sent none, for example because it can't be reached.
	Reason Reason
	// Metadata holds the variables of the message.
	Metadata map[string]string
	// FieldViolations lists the invalid fields of the request. Empty unless Code is InvalidArgument.
	FieldViolations []FieldViolation
	// RetryDelay is how long the server asks to wait before the next call; 0 if the server named no delay.
	RetryDelay time.Duration

	cause error
}

// FieldViolation is a field that the server rejected.
type FieldViolation struct {
	// Field is the path to it, such as "job.labels".
	Field string
	// Description says why the field is invalid.
	Description string
}

// Reason is the stable reason of an [Error]. As the target of [errors.Is] it matches errors with this reason:
//
//	errors.Is(err, muster.Reason("JOB_NOT_FOUND"))
type Reason string

// Error allows a Reason to be the target of errors.Is.
func (r Reason) Error() string { return string(r) }

// ReasonWaitTimeout is the reason of errors of [Client.Wait] and [Result] whose context ended before the job.
const ReasonWaitTimeout = Reason("WAIT_TIMEOUT")

func (e *Error) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("%s: %s", e.Code, e.Message)
	}
	return fmt.Sprintf("%s (%s): %s", e.Code, e.Reason, e.Message)
}

// Unwrap returns the underlying error.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is the error's [Reason].
func (e *Error) Is(target error) bool {
	reason, ok := target.(Reason)
	return ok && reason == e.Reason && reason != ""
}

// GRPCStatus implements the interface that gRPC's package status reads.
func (e *Error) GRPCStatus() *status.Status {
	if said, ok := status.FromError(e.cause); ok && e.cause != nil {
		return said
	}
	return status.New(e.Code, e.Message)
}

// asError converts the error of a call to an *Error; nil stays nil.
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

// JobFailedError is the error for a job that ended without a result: FAILED, CANCELLED, EXPIRED or SKIPPED.
type JobFailedError struct {
	// Job is the ended job; Job.GetFailure says why it failed.
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

// waitTimeout is the error of a wait whose context ended before the job.
func waitTimeout(ctx context.Context, job *pb.Job) error {
	message := "the wait ended before the job was read"
	if job != nil {
		message = fmt.Sprintf("job %s has not ended yet: it is %s", job.JobId, StateName(job.State))
	}
	made := contextError(ctx, message)
	made.Reason = ReasonWaitTimeout
	return made
}

// contextError is the error of a call that the end of its context stopped.
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
