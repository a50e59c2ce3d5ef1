// Package rpcerror reads the details of failed calls to Muster.
package rpcerror

import (
	"context"
	"errors"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Violation is a field that the server rejected.
type Violation struct {
	Field       string
	Description string
}

// Facts are the details of a failed call.
type Facts struct {
	Code       codes.Code
	Message    string
	Reason     string
	Metadata   map[string]string
	Violations []Violation
	// RetryDelay is how long the server asks to wait; HasRetryDelay is true if it sent a delay.
	RetryDelay    time.Duration
	HasRetryDelay bool
}

// Of reads the error of a call; unreadable details are skipped.
func Of(err error) Facts {
	if errors.Is(err, context.DeadlineExceeded) {
		return Facts{Code: codes.DeadlineExceeded, Message: err.Error()}
	}
	if errors.Is(err, context.Canceled) {
		return Facts{Code: codes.Canceled, Message: err.Error()}
	}
	said, _ := status.FromError(err)
	facts := Facts{Code: said.Code(), Message: said.Message()}
	for _, detail := range said.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			facts.Reason, facts.Metadata = detail.Reason, detail.Metadata
		case *errdetails.BadRequest:
			for _, violation := range detail.FieldViolations {
				facts.Violations = append(facts.Violations, Violation{violation.Field, violation.Description})
			}
		case *errdetails.RetryInfo:
			facts.RetryDelay, facts.HasRetryDelay = max(0, detail.RetryDelay.AsDuration()), detail.RetryDelay != nil
		}
	}
	return facts
}

// IsLeaseLost reports that the session is closed: stop everything and open a new one.
func (f Facts) IsLeaseLost() bool {
	return f.Code == codes.FailedPrecondition && f.Reason == "LEASE_LOST"
}

// IsTransient reports that the control plane could not be reached, or asks to repeat the call later.
func (f Facts) IsTransient() bool {
	switch f.Code {
	case codes.Unavailable, codes.DeadlineExceeded:
		return true
	case codes.ResourceExhausted:
		return f.HasRetryDelay
	default:
		return false
	}
}

// IsFatal reports that the same OpenSession would be refused again.
func (f Facts) IsFatal() bool {
	switch f.Code {
	case codes.InvalidArgument, codes.PermissionDenied, codes.FailedPrecondition, codes.Unimplemented, codes.Unauthenticated:
		return true
	default:
		return false
	}
}
