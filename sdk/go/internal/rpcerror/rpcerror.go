// Package rpcerror reads what a failed call to Muster says of itself.
package rpcerror

import (
	"context"
	"errors"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Violation is a field that the server refused.
type Violation struct {
	Field       string
	Description string
}

// Facts is what a failed call says.
type Facts struct {
	Code       codes.Code
	Message    string
	Reason     string
	Metadata   map[string]string
	Violations []Violation
	// RetryDelay is when the server wants to be asked again; HasRetryDelay: it has said so.
	RetryDelay    time.Duration
	HasRetryDelay bool
}

// Of reads the error of a call; details that can't be read are left out.
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

// IsLeaseLost says that the session is closed: stop everything and open a new one.
func (f Facts) IsLeaseLost() bool {
	return f.Code == codes.FailedPrecondition && f.Reason == "LEASE_LOST"
}

// IsFatal says that the same OpenSession would be refused again.
func (f Facts) IsFatal() bool {
	switch f.Code {
	case codes.InvalidArgument, codes.PermissionDenied, codes.FailedPrecondition, codes.Unimplemented, codes.Unauthenticated:
		return true
	default:
		return false
	}
}
