package muster

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"muster.dev/sdk/go/internal/transport"
	"muster.dev/sdk/go/internal/uuid"
	pb "muster.dev/sdk/go/musterpb"
)

const defaultCallTimeout = 15 * time.Second

var defaultRetry = transport.Retry{MaxAttempts: 10, MinBackoff: 50 * time.Millisecond, MaxBackoff: 2 * time.Second}

// ClientOptions are those of [NewClient].
type ClientOptions struct {
	// Address is host:port, or any gRPC target that names several replicas, such as "dns:///muster:7070". Needed.
	Address string
	// Namespace of everything that the client does. Default: "default".
	Namespace string
	// Timeout is the longest time of a call, repeats included, whose context has no deadline. Default: 15 s.
	Timeout time.Duration
	// Retry says how calls are repeated while the control plane can't be reached.
	Retry RetryOptions
	// DialOptions come after those of the SDK, which are plain text, keep-alive and round robin.
	DialOptions []grpc.DialOption
}

// RetryOptions say how calls are repeated that failed because the control plane could not be reached or was overloaded. Repeats
// of one call have one request id, so that nothing is done twice.
type RetryOptions struct {
	// MaxAttempts counts calls in all, the first included. Default: 10.
	MaxAttempts int
	// MinBackoff bounds the first wait; it doubles each time and is drawn evenly from zero. Default: 50 ms.
	MinBackoff time.Duration
	// MaxBackoff caps every wait. Default: 2 s.
	MaxBackoff time.Duration
}

// Client submits jobs and follows them. It may be used by many goroutines.
//
// Every method fails with an *[Error]. A call whose context has no deadline has [ClientOptions].Timeout.
type Client struct {
	address    string
	namespace  string
	timeout    time.Duration
	retry      transport.Retry
	connection *grpc.ClientConn

	batches     pb.BatchServiceClient
	definitions pb.JobDefinitionServiceClient
	jobs        pb.JobServiceClient
	waits       pb.WaitServiceClient
}

// NewClient makes a client; the connection is made by the first call. It fails on an address that is no gRPC target.
func NewClient(options ClientOptions) (*Client, error) {
	if options.Address == "" {
		return nil, &Error{Code: codes.InvalidArgument, Message: "the client needs an address, such as 127.0.0.1:7070"}
	}
	connection, err := transport.Dial(options.Address, options.DialOptions)
	if err != nil {
		return nil, &Error{Code: codes.InvalidArgument, Message: err.Error(), cause: err}
	}
	retry := defaultRetry
	if options.Retry.MaxAttempts > 0 {
		retry.MaxAttempts = options.Retry.MaxAttempts
	}
	if options.Retry.MinBackoff > 0 {
		retry.MinBackoff = options.Retry.MinBackoff
	}
	if options.Retry.MaxBackoff > 0 {
		retry.MaxBackoff = options.Retry.MaxBackoff
	}
	timeout := defaultCallTimeout
	if options.Timeout > 0 {
		timeout = options.Timeout
	}
	return &Client{
		address:     options.Address,
		namespace:   options.Namespace,
		timeout:     timeout,
		retry:       retry,
		connection:  connection,
		batches:     pb.NewBatchServiceClient(connection),
		definitions: pb.NewJobDefinitionServiceClient(connection),
		jobs:        pb.NewJobServiceClient(connection),
		waits:       pb.NewWaitServiceClient(connection),
	}, nil
}

// Conn is the client's connection, for the generated clients of package musterpb. Their calls are made once, and fail with
// errors of gRPC.
func (c *Client) Conn() *grpc.ClientConn { return c.connection }

// Close ends the connection and the calls that are under way.
func (c *Client) Close() error { return c.connection.Close() }

// invoke makes a call with its repeats and its deadline.
func invoke[T any](ctx context.Context, c *Client, call func(context.Context) (T, error)) (T, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	answer, err := transport.Do(ctx, c.retry, call)
	return answer, asError(err)
}

type callOptions struct {
	requestID string
}

// requestIDOf is that of the options, or a new one.
func requestIDOf(options []CallOption) string {
	var said callOptions
	for _, option := range options {
		option.applyCall(&said)
	}
	return orElse(said.requestID, uuid.New())
}

func present[T any](value *T, what string) (*T, error) {
	if value == nil {
		return nil, &Error{Code: codes.Internal, Message: fmt.Sprintf("the reply names no %s", what)}
	}
	return value, nil
}
