// Package attempt connects the two packages that run handlers: muster with its worker, and mustertest.
package attempt

import (
	"context"
	"time"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// Outlet receives the reports of a running handler. The goroutines of the handler call it.
type Outlet interface {
	Progress(*pb.Progress)
	Checkpoint(*pb.Payload)
	// ExtendRunTimeout receives the total time that the handler has requested so far.
	ExtendRunTimeout(extension time.Duration)
	// Log receives records in the order of their sequence.
	Log(*pb.LogRecord)
	// MaxPayload is the maximum size of a result or checkpoint in bytes; 0 means no limit.
	MaxPayload() int
}

// Run runs a handler (a muster.HandlerFunc) to its end and returns its outcome. Package muster sets it.
var Run func(ctx context.Context, handler any, assignment *workerpb.Assignment, outlet Outlet) *workerpb.AttemptReport
