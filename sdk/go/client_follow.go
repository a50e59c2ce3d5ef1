package muster

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"muster.dev/sdk/go/internal/transport"
)

// errStreamEnded is what a stream breaks with that the server ends before its last message.
var errStreamEnded = status.Error(codes.Unavailable, "the server ended the stream before its last message")

// follow hands on what streams bring until take wants no more. A stream that breaks is followed by another, which open asks to
// go on where the last one was left, as often as a call is repeated; a message makes the count start anew.
func follow[M any](ctx context.Context, retry transport.Retry, open func(context.Context) (grpc.ServerStreamingClient[M], error), take func(*M) bool) error {
	for failures := 1; ; failures++ {
		heard, err := readStream(ctx, open, take)
		if err == nil {
			return nil
		}
		if heard {
			failures = 1
		}
		wait, again := retry.Backoff(failures, err)
		if again && transport.Pause(ctx, wait) {
			continue
		}
		if ctx.Err() != nil {
			return contextError(ctx, "the context ended before what was followed")
		}
		return asError(err)
	}
}

// readStream reads one stream; nil: take wants no more. heard says whether a message came. There is no deadline but the
// context's: a dead line is noticed by the connection.
func readStream[M any](ctx context.Context, open func(context.Context) (grpc.ServerStreamingClient[M], error), take func(*M) bool) (heard bool, err error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	stream, err := open(ctx)
	for err == nil {
		var message *M
		if message, err = stream.Recv(); err == nil {
			heard = true
			if !take(message) {
				return heard, nil
			}
		}
	}
	if errors.Is(err, io.EOF) {
		err = errStreamEnded
	}
	return heard, err
}
