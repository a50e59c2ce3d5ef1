package muster

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"muster.dev/sdk/go/internal/uuid"
	pb "muster.dev/sdk/go/musterpb"
)

// Event configures [Client.SendEvent]. The zero value is an event without a payload.
type Event struct {
	// Key selects the jobs that wait for this key. At most 256 characters. Default: the empty key.
	Key string
	// Payload becomes the result of the jobs that the event ends: a value that [Encode] accepts. Default: an empty
	// payload.
	Payload any
	// KeepFor is how long the event is kept if no job waits for it, at most 30 days. A negative time means that it is
	// not kept. Default: an hour.
	KeepFor time.Duration
	// ID is a UUID that makes repeats of this call idempotent for a day. Default: a new one.
	ID string
}

// SendEvent ends all jobs that wait for the event. If none does, the event is kept for the first job that will.
//
// Errors: *[Error] ResourceExhausted (EVENTS_FULL) when 1,000 events of its name and key are kept.
func (c *Client) SendEvent(ctx context.Context, name string, event Event) (*pb.SendEventResponse, error) {
	payload, err := Encode(event.Payload)
	if err != nil {
		return nil, err
	}
	request := &pb.SendEventRequest{
		Namespace: c.namespace,
		Name:      name,
		Key:       event.Key,
		Payload:   payload,
		EventId:   orElse(event.ID, uuid.New()),
	}
	if event.KeepFor != 0 {
		request.KeepFor = durationpb.New(max(0, event.KeepFor))
	}
	return invoke(ctx, c, func(ctx context.Context) (*pb.SendEventResponse, error) { return c.waits.SendEvent(ctx, request) })
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
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.ApproveJobResponse, error) { return c.waits.ApproveJob(ctx, request) })
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
	response, err := invoke(ctx, c, func(ctx context.Context) (*pb.RejectJobResponse, error) { return c.waits.RejectJob(ctx, request) })
	if err != nil {
		return nil, err
	}
	return present(response.Job, "job")
}
