package muster

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/muster-jobs/muster/sdk/go/internal/transport"
)

// errStreamEnded is the error of a stream that the server ends before its last message.
var errStreamEnded = status.Error(codes.Unavailable, "the server ended the stream before its last message")

// follow passes messages of a stream to take until take returns false. When a stream breaks, follow opens another one;
// open must continue after the last message received. The number of reopenings is limited like the repeats of a call,
// and each message resets the count.
func follow[M any](ctx context.Context, retry transport.Retry, open func(context.Context) (grpc.ServerStreamingClient[M], error), take func(*M) bool) error {
	for failures := 1; ; failures++ {
		received, err := readStream(ctx, open, take)
		if err == nil {
			return nil
		}
		if received {
			failures = 1
		}
		wait, again := retry.Backoff(failures, err)
		if again && transport.Pause(ctx, wait) {
			continue
		}
		if ctx.Err() != nil {
			return contextError(ctx, "the context ended before the stream")
		}
		return asError(err)
	}
}

// readStream reads one stream. It returns nil when take returned false, and reports whether a message arrived. There is
// no deadline except that of the context: keep-alive detects a dead connection.
func readStream[M any](ctx context.Context, open func(context.Context) (grpc.ServerStreamingClient[M], error), take func(*M) bool) (received bool, err error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	stream, err := open(ctx)
	for err == nil {
		var message *M
		if message, err = stream.Recv(); err == nil {
			received = true
			if !take(message) {
				return received, nil
			}
		}
	}
	if errors.Is(err, io.EOF) {
		err = errStreamEnded
	}
	return received, err
}
