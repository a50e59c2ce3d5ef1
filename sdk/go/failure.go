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

	pb "muster.dev/sdk/go/musterpb"
)

const (
	maxFailureType    = 256
	maxFailureMessage = 8 * 1024
	maxStack          = 16 * 1024
	maxCauses         = 16
)

// Failure is an error by which a handler says itself what is reported of it. Any other error does as well: its type is the
// name of its Go type, "error" for those of errors.New, and that of the error inside for those of fmt.Errorf with %w. A panic
// is a failure of the type "panic".
type Failure struct {
	// Type is what retry rules and people go by, such as "QuotaExceeded". Empty: that of Cause. At most 256 characters.
	Type string
	// Message is for people. Empty: that of Cause. Cut after 8 KiB.
	Message string
	// Final: another attempt can't help, and the retry policy is not asked.
	Final bool
	// RetryDelay is the time until the next attempt, in place of the policy's backoff. nil: the policy decides.
	RetryDelay *time.Duration
	// Infrastructure: what the handler runs on has failed, such as a disk. It costs the job no attempt unless a retry rule says
	// otherwise.
	Infrastructure bool
	// ExitCode is that of a process that the handler ran, from 1 to 255. 0: that of an error with a method ExitCode() int in
	// the chain, such as *exec.ExitError, or else none.
	ExitCode int
	// Details are data for programs that handle the failure, as the input of [Client.Submit]. nil: none.
	Details any
	// Cause is the error that led to this one.
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

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// Final says of an error that another attempt can't help.
func Final(err error) error { return &Failure{Final: true, Cause: err} }

// RetryAfter says of an error when the next attempt is to be made, whatever the retry policy's backoff is. A negative delay is
// none.
func RetryAfter(delay time.Duration, err error) error {
	delay = max(0, delay)
	return &Failure{RetryDelay: &delay, Cause: err}
}

// Infrastructure says of an error that what the handler runs on is to blame.
func Infrastructure(err error) error { return &Failure{Infrastructure: true, Cause: err} }

// Stopped is why a handler was asked to stop: the [context.Cause] of its context.
type Stopped struct {
	Reason StopReason
}

func (s *Stopped) Error() string { return "the handler was asked to stop: " + string(s.Reason) }

// Unwrap makes it a cancellation: errors.Is(err, context.Canceled).
func (s *Stopped) Unwrap() error { return context.Canceled }

// StopReason is why a handler was asked to stop.
type StopReason string

const (
	// StopCancelled: the job was cancelled.
	StopCancelled StopReason = "cancelled"
	// StopRunTimeout: the handler took too long.
	StopRunTimeout StopReason = "run_timeout"
	// StopLeaseLost: the worker can't prove that the attempt is still its own.
	StopLeaseLost StopReason = "lease_lost"
	// StopShutdown: the worker ends.
	StopShutdown StopReason = "shutdown"
)

// panicked is what a handler panicked with.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprint(p.value) }

func (p *panicked) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// failureOf makes the message that is reported of an error.
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

// steer takes over what errors in the chain say about the next attempt.
func steer(failure *pb.Failure, err error, level int) {
	if said, ok := err.(*Failure); ok {
		failure.Final = failure.Final || said.Final
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

// typeOf looks through errors that only wrap others.
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

// exitCodeOf is 0 where no process ended. One that a signal ended has 128 and the signal's number, as shells say it.
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

// cut gives as much of the text as fits into so many bytes, in whole characters; what is no character becomes U+FFFD.
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
