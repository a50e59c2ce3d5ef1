package muster

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

const (
	maxFailureType    = 256
	maxFailureMessage = 8 * 1024
	maxStack          = 16 * 1024
	maxCauses         = 16
)

// Failure is an error with which a handler determines the reported failure. Other errors work as well: their failure
// type is the name of their Go type, "error" for errors of errors.New, and the type of the wrapped error for errors of
// fmt.Errorf with %w. A panic is reported as a failure of the type "panic".
type Failure struct {
	// Type is the name that retry rules match, such as "QuotaExceeded". At most 256 characters. Empty means the type of
	// Cause.
	Type string
	// Message is a readable description, cut after 8 KiB. Empty means the message of Cause.
	Message string
	// NonRetryable prevents another attempt: the retry policy is not consulted.
	NonRetryable bool
	// RetryDelay is the time until the next attempt and replaces the policy's backoff. nil means that the policy
	// decides.
	RetryDelay *time.Duration
	// Infrastructure reports that the environment of the handler failed, such as a disk. The failure does not count as
	// an attempt unless a retry rule says otherwise.
	Infrastructure bool
	// ExitCode is the exit code of a process that the handler ran, from 1 to 255. 0 means: the code of an error in the
	// chain that has a method ExitCode() int, such as *exec.ExitError, or none.
	ExitCode int
	// Details is data for programs that process the failure: a value that [Encode] accepts. nil means none.
	Details any
	// Cause is the wrapped error.
	Cause error
}

func (f *Failure) Error() string {
	switch {
	case f.Message != "" && f.Cause != nil:
		return f.Message + ": " + f.Cause.Error()
	case f.Message == "" && f.Cause != nil:
		return f.Cause.Error()
	default:
		return orElse(f.Message, orElse(f.Type, "failure"))
	}
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// NonRetryable marks an error so that there is no other attempt.
func NonRetryable(err error) error { return &Failure{NonRetryable: true, Cause: err} }

// RetryAfter sets the time until the next attempt, in place of the retry policy's backoff. A negative delay counts as
// 0.
func RetryAfter(delay time.Duration, err error) error {
	delay = max(0, delay)
	return &Failure{RetryDelay: &delay, Cause: err}
}

// Infrastructure marks an error as a failure of the environment that the handler runs in.
func Infrastructure(err error) error { return &Failure{Infrastructure: true, Cause: err} }

// Stopped is the [context.Cause] of a handler's context after the handler was asked to stop.
type Stopped struct {
	Reason StopReason
}

func (s *Stopped) Error() string { return "the handler was asked to stop: " + string(s.Reason) }

// Unwrap makes a Stopped a cancellation: errors.Is(err, context.Canceled) is true.
func (s *Stopped) Unwrap() error { return context.Canceled }

// StopReason is why a handler was asked to stop.
type StopReason string

const (
	// StopCancelled means that the job was cancelled.
	StopCancelled StopReason = "cancelled"
	// StopSuspended means that the job was paused: the handler may end with [Job.Suspend], or give up in any other way.
	StopSuspended StopReason = "suspended"
	// StopRunTimeout means that the handler has exceeded its run timeout.
	StopRunTimeout StopReason = "run_timeout"
	// StopLeaseLost means that the worker can't prove that it still owns the attempt.
	StopLeaseLost StopReason = "lease_lost"
	// StopShutdown means that the worker shuts down.
	StopShutdown StopReason = "shutdown"
)

// panicked is the error made of a handler's panic.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprint(p.value) }

func (p *panicked) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// failureOf converts an error to the reported failure.
func failureOf(err error) *pb.Failure {
	failure := describe(err, 1)
	steer(failure, err, 1)
	if failure.ExitCode == 0 {
		failure.ExitCode = exitCodeOf(err)
	}
	return failure
}

func describe(err error, level int) *pb.Failure {
	if said, ok := err.(*Failure); ok && said.Cause != nil && said.Type == "" && said.Message == "" {
		return describe(said.Cause, level)
	}
	failure := &pb.Failure{
		Type:         cut(typeOf(err), maxFailureType),
		Message:      cut(messageOf(err), maxFailureMessage),
		FailureCause: pb.FailureCause_FAILURE_CAUSE_APPLICATION,
	}
	if thrown, ok := err.(*panicked); ok {
		failure.StackTrace = cut(string(thrown.stack), maxStack)
	}
	if cause := causeOf(err); cause != nil && level < maxCauses {
		failure.Cause = describe(cause, level+1)
	}
	return failure
}

// steer applies what errors in the chain say about the next attempt.
func steer(failure *pb.Failure, err error, level int) {
	if said, ok := err.(*Failure); ok {
		failure.NonRetryable = failure.NonRetryable || said.NonRetryable
		if said.RetryDelay != nil && failure.RetryDelay == nil {
			failure.RetryDelay = durationpb.New(max(0, *said.RetryDelay))
		}
		if said.Infrastructure {
			failure.FailureCause = pb.FailureCause_FAILURE_CAUSE_INFRASTRUCTURE
		}
		if said.ExitCode >= 1 && said.ExitCode <= 255 && failure.ExitCode == 0 {
			failure.ExitCode = int32(said.ExitCode)
		}
		if details, err := Encode(said.Details); err == nil && failure.Details == nil {
			failure.Details = details
		}
	}
	for _, cause := range causesOf(err) {
		if level < maxCauses {
			steer(failure, cause, level+1)
		}
	}
}

func messageOf(err error) string {
	if said, ok := err.(*Failure); ok {
		return orElse(said.Message, said.Error())
	}
	return err.Error()
}

// typeOf skips errors that only wrap others.
func typeOf(err error) string {
	if said, ok := err.(*Failure); ok && said.Type != "" {
		return said.Type
	}
	if _, ok := err.(*panicked); ok {
		return "panic"
	}
	name := typeName(reflect.TypeOf(err))
	switch name {
	case "wrapError", "wrapErrors", "joinError", "Failure":
		if cause := causeOf(err); cause != nil {
			return typeOf(cause)
		}
		return "error"
	case "errorString", "":
		return "error"
	default:
		return name
	}
}

func typeName(kind reflect.Type) string {
	for kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	name, _, _ := strings.Cut(kind.Name(), "[")
	return name
}

func causeOf(err error) error {
	if causes := causesOf(err); len(causes) > 0 {
		return causes[0]
	}
	return nil
}

func causesOf(err error) (causes []error) {
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		if cause := err.Unwrap(); cause != nil {
			causes = append(causes, cause)
		}
	case interface{ Unwrap() []error }:
		for _, cause := range err.Unwrap() {
			if cause != nil {
				causes = append(causes, cause)
			}
		}
	}
	return causes
}

// exitCodeOf returns 0 if no process ended. For a process that a signal ended it returns 128 plus the signal number, as
// shells do.
func exitCodeOf(err error) int32 {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if signal := signalOf(exit); signal > 0 {
			return int32(128 + signal)
		}
	}
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		if code := coded.ExitCode(); code >= 1 && code <= 255 {
			return int32(code)
		}
	}
	return 0
}

// cut returns the longest prefix of whole characters that has at most maxBytes. Invalid UTF-8 becomes U+FFFD.
func cut(text string, maxBytes int) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	if len(text) <= maxBytes {
		return text
	}
	end := maxBytes
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
