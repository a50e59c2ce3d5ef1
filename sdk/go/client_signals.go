package muster

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/muster-jobs/muster/sdk/go/internal/uuid"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// Signal configures [Client.SendSignal]. The zero value is a signal without a payload.
type Signal struct {
	// Key selects the jobs that wait for this key. At most 256 characters. Default: the empty key.
	Key string
	// Payload becomes the result of the jobs that the signal ends: a value that [Encode] accepts. Default: an empty
	// payload.
	Payload any
	// KeepFor is how long the signal is kept if no job waits for it, at most 30 days. A negative time means that it is
	// not kept. Default: an hour.
	KeepFor time.Duration
	// RequestID is a UUID that makes repeats of this call idempotent for a day. Default: a new one.
	RequestID string
}

// SendSignal ends all jobs that wait for the signal. If none does, the signal is kept for the first job that will.
//
// Errors: *[Error] ResourceExhausted (SIGNALS_FULL) when 1,000 signals of its name and key are kept.
func (c *Client) SendSignal(ctx context.Context, name string, signal Signal) (*pb.SendSignalResponse, error) {
	payload, err := Encode(signal.Payload)
	if err != nil {
		return nil, err
	}
	request := &pb.SendSignalRequest{
		Namespace: c.namespace,
		Name:      name,
		Key:       signal.Key,
		Payload:   payload,
		RequestId: orElse(signal.RequestID, uuid.New()),
	}
	if signal.KeepFor != 0 {
		request.KeepFor = durationpb.New(max(0, signal.KeepFor))
	}
	return invoke(ctx, c, func(ctx context.Context) (*pb.SendSignalResponse, error) { return c.signals.SendSignal(ctx, request) })
}

// Approve ends a job that waits for an approval, and returns it. The job's result contains "approved", the comment and
// the payload. The payload is a value that [Encode] writes as JSON; nil means none. The comment has at most 256
// characters.
//
// Errors: *[Error] FailedPrecondition (JOB_NOT_AWAITING_APPROVAL) when the job does not wait for an approval.
func (c *Client) Approve(ctx context.Context, jobID, comment string, payload any, options ...CallOption) (*pb.Job, error) {
	encoded, err := Encode(payload)
	if err != nil {
		return nil, err
	}
	request := &pb.ApproveJobRequest{
		Namespace: c.namespace,
		JobId:     jobID,
		Comment:   comment,
		Payload:   encoded,
		RequestId: requestIDOf(options),
	}
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.ApproveJobResponse, error) { return c.signals.ApproveJob(ctx, request) })
	if err != nil {
		return nil, err
	}
	return present(response.Job, "job")
}

// Reject ends a job that waits for an approval as failed, without a retry, and returns it. The reason is free text of
// at most 256 characters; it may be empty.
//
// Errors: *[Error] FailedPrecondition (JOB_NOT_AWAITING_APPROVAL) when the job does not wait for an approval.
func (c *Client) Reject(ctx context.Context, jobID, reason string, options ...CallOption) (*pb.Job, error) {
	request := &pb.RejectJobRequest{Namespace: c.namespace, JobId: jobID, Reason: reason, RequestId: requestIDOf(options)}
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.RejectJobResponse, error) { return c.signals.RejectJob(ctx, request) })
	if err != nil {
		return nil, err
	}
	return present(response.Job, "job")
}
