// Package attempt joins the two that run handlers: the worker, and the package for tests of handlers.
package attempt

import (
	"context"
	"time"

	pb "muster.dev/sdk/go/musterpb"
)

// Outlet is where a running handler says what it has to say. It is called by the goroutines of the handler.
type Outlet interface {
	Progress(*pb.Progress)
	Checkpoint(*pb.Payload)
	// ExtendRunTimeout is told all that the handler has asked for so far.
	ExtendRunTimeout(extension time.Duration)
	// Log is told records in the order of their sequence.
	Log(*pb.LogRecord)
	// MaxPayload is the largest result or checkpoint in bytes; 0: no bound.
	MaxPayload() int
}

// Run runs a handler (a muster.HandlerFunc) to its end and gives its outcome. Package muster sets it.
var Run func(ctx context.Context, handler any, assignment *pb.Assignment, outlet Outlet) *pb.AttemptReport
