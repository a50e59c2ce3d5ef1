package muster

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/muster-jobs/muster/sdk/go/internal/transport"
	"github.com/muster-jobs/muster/sdk/go/internal/uuid"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

const defaultCallTimeout = 15 * time.Second

var defaultRetry = transport.Retry{MaxAttempts: 10, MinBackoff: 50 * time.Millisecond, MaxBackoff: 2 * time.Second}

// ClientOptions configures [NewClient].
type ClientOptions struct {
	// Address is host:port, or any gRPC target that names several replicas, such as "dns:///muster:7070". Required.
	Address string
	// Namespace is used for every call of the client. Default: "default".
	Namespace string
	// Timeout is the maximum duration of a call whose context has no deadline, repeats included. Default: 15 s.
	Timeout time.Duration
	// Retry configures how calls are repeated while the control plane can't be reached.
	Retry RetryOptions
	// DialOptions are applied after those of the SDK, which are plain text, keep-alive and round robin.
	DialOptions []grpc.DialOption
}

// RetryOptions configures how calls are repeated that failed because the control plane could not be reached or was
// overloaded. All repeats of a call have the same request id, so that nothing is done twice.
type RetryOptions struct {
	// MaxAttempts is the maximum number of calls, the first one included. Default: 10.
	MaxAttempts int
	// MinBackoff is the upper bound of the first wait. The bound doubles each time; the wait is random between zero and
	// the bound. Default: 50 ms.
	MinBackoff time.Duration
	// MaxBackoff is the upper bound of every wait. Default: 2 s.
	MaxBackoff time.Duration
}

// Client submits jobs and follows them. It is safe for concurrent use.
//
// Every method fails with an *[Error]. A call whose context has no deadline is limited by [ClientOptions].Timeout.
type Client struct {
	address    string
	namespace  string
	timeout    time.Duration
	retry      transport.Retry
	connection *grpc.ClientConn

	batches     pb.BatchServiceClient
	definitions pb.JobDefinitionServiceClient
	jobs        pb.JobServiceClient
	signals     pb.SignalServiceClient
}

// NewClient creates a client. It connects on the first call. It fails when the address is not a gRPC target.
func NewClient(options ClientOptions) (*Client, error) {
	if options.Address == "" {
		return nil, &Error{Code: codes.InvalidArgument, Message: "the client needs an address, such as 127.0.0.1:7070"}
	}
	connection, err := transport.Dial(options.Address, options.DialOptions)
	if err != nil {
		return nil, &Error{Code: codes.InvalidArgument, Message: err.Error(), cause: err}
	}
	retry := defaultRetry
	retry.Shared = transport.NamesSeveral(options.Address)
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
		signals:     pb.NewSignalServiceClient(connection),
	}, nil
}

// Conn returns the client's connection, for the generated clients of package musterpb. Their calls are not repeated,
// and fail with gRPC errors.
func (c *Client) Conn() *grpc.ClientConn { return c.connection }

// Close closes the connection and ends calls in progress.
func (c *Client) Close() error { return c.connection.Close() }

// invoke makes a call with repeats, and with the default timeout if the context has no deadline.
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

// requestIDOf returns the request id of the options, or a new one.
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
