package muster

import (
	"context"
	"fmt"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// HandlerFunc runs one attempt of a job, with encoded input and result. [Typed] makes one from a function with types of
// its own.
//
// ctx is cancelled when the handler should stop; [context.Cause] is a *[Stopped] with the reason. [JobFrom] returns the
// job. With a nil error, the returned payload is the job's result, and a nil payload means none. An error fails the
// attempt, and the retry policy decides whether there is another one.
type HandlerFunc func(ctx context.Context, input *pb.Payload) (*pb.Payload, error)

// Typed makes a HandlerFunc from a function from In to Out, which are read by [Decode] and written by [Encode]. An
// input that does not fit In fails the job without a retry, with a failure of the type "PayloadError"; so does an
// output that can't be encoded.
func Typed[In, Out any](handler func(ctx context.Context, input In) (Out, error)) HandlerFunc {
	return func(ctx context.Context, input *pb.Payload) (*pb.Payload, error) {
		in, err := Decode[In](input)
		if err != nil {
			return nil, NonRetryable(err)
		}
		out, err := handler(ctx, in)
		if err != nil {
			return nil, err
		}
		result, err := encodeResult(out)
		if err != nil {
			return nil, NonRetryable(err)
		}
		return result, nil
	}
}

// encodeResult writes an untyped nil as JSON's null, because a job that has succeeded has a result.
func encodeResult(out any) (*pb.Payload, error) {
	if out == nil {
		return NewPayload([]byte("null"), JSONType), nil
	}
	return Encode(out)
}

// HandlerOption configures a handler.
type HandlerOption func(*pb.Handler)

// WithVersions limits the handler to these versions of its definition. 0 means no bound.
func WithVersions(minVersion, maxVersion int) HandlerOption {
	return func(handler *pb.Handler) {
		handler.MinVersion, handler.MaxVersion = int32(minVersion), int32(maxVersion)
	}
}

// Handle registers a handler with the worker. name is the handler's name: that of the definition, unless the definition
// names another handler. It panics when the name is empty or taken, or when the worker already runs.
func Handle[In, Out any](worker *Worker, name string, handler func(ctx context.Context, input In) (Out, error), options ...HandlerOption) {
	worker.HandleFunc(name, Typed(handler), options...)
}

// HandleFunc is [Handle] for encoded inputs and results.
func (w *Worker) HandleFunc(name string, handler HandlerFunc, options ...HandlerOption) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.core != nil:
		panic("muster: handlers are registered before the worker runs")
	case name == "" || handler == nil:
		panic("muster: a handler needs a name and a function")
	case w.handlers[name].run != nil:
		panic(fmt.Sprintf("muster: two handlers have the name %q", name))
	}
	message := &pb.Handler{Name: name}
	for _, option := range options {
		option(message)
	}
	w.handlers[name] = registered{run: handler, message: message}
}

type registered struct {
	run     HandlerFunc
	message *pb.Handler
}
