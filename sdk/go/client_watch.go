package muster

import (
	"context"
	"iter"

	"google.golang.org/grpc"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// logPageSize is the number of records per page.
const logPageSize = 200

// Watch yields the current state of the job, then its state after each change, until it has ended. Changes in quick
// succession are merged into one. A lost connection is reopened; no change is yielded twice. The watch ends when the
// loop or the context ends. An error ends the iteration.
//
// Errors: *[Error] NotFound; ResourceExhausted when there are too many watches; Unavailable when the control plane
// stays out of reach; Canceled or DeadlineExceeded when the context ended first.
func (c *Client) Watch(ctx context.Context, jobID string) iter.Seq2[*pb.Job, error] {
	request := &pb.WatchJobRequest{Namespace: c.namespace, JobId: jobID}
	return func(yield func(*pb.Job, error) bool) {
		var last *pb.Job
		open := func(ctx context.Context) (grpc.ServerStreamingClient[pb.WatchJobResponse], error) {
			return c.jobs.WatchJob(ctx, request)
		}
		err := follow(ctx, c.retry, open, func(message *pb.WatchJobResponse) bool {
			job := message.Job
			if job == nil || last != nil && last.Revision == job.Revision {
				return true
			}
			last = job
			return yield(job, nil) && !HasEnded(job.State)
		})
		if err != nil {
			yield(nil, err)
		}
	}
}

// LogOptions configures [Client.Logs]. The zero value selects the records kept now, of all attempts.
type LogOptions struct {
	// Attempt selects one attempt. 0 selects all.
	Attempt int
	// Follow continues until the job has ended, or until the attempt is over if Attempt is set. Records arrive within
	// milliseconds after the control plane receives them.
	Follow bool
}

// Logs iterates over the records that the job's handlers have logged: by attempt, and within an attempt in the order of
// writing. The newest 64 KiB of an attempt are kept; each record says how many records before it are missing (skipped).
// Texts are unchanged, control characters included. Pages are fetched as the loop advances. With Follow, a lost
// connection is reopened, and each record is yielded once. An error ends the iteration.
//
// Errors: *[Error] NotFound, and with Follow those of [Client.Watch].
func (c *Client) Logs(ctx context.Context, jobID string, options LogOptions) iter.Seq2[*pb.LogRecord, error] {
	return func(yield func(*pb.LogRecord, error) bool) {
		read := c.listLogs
		if options.Follow {
			read = c.followLogs
		}
		err := read(ctx, jobID, int32(options.Attempt), func(record *pb.LogRecord) bool { return yield(record, nil) })
		if err != nil {
			yield(nil, err)
		}
	}
}

func (c *Client) listLogs(ctx context.Context, jobID string, attempt int32, take func(*pb.LogRecord) bool) error {
	request := &pb.ListAttemptLogsRequest{Namespace: c.namespace, JobId: jobID, Attempt: attempt, PageSize: logPageSize}
	for {
		page, err := invoke(ctx, c, func(ctx context.Context) (*pb.ListAttemptLogsResponse, error) {
			return c.jobs.ListAttemptLogs(ctx, request)
		})
		if err != nil {
			return err
		}
		if request.PageToken = page.NextPageToken; !takeAll(page.Records, take) || request.PageToken == "" {
			return nil
		}
	}
}

func (c *Client) followLogs(ctx context.Context, jobID string, attempt int32, take func(*pb.LogRecord) bool) error {
	request := &pb.WatchAttemptLogsRequest{Namespace: c.namespace, JobId: jobID, Attempt: attempt}
	open := func(ctx context.Context) (grpc.ServerStreamingClient[pb.WatchAttemptLogsResponse], error) {
		return c.jobs.WatchAttemptLogs(ctx, request)
	}
	return follow(ctx, c.retry, open, func(message *pb.WatchAttemptLogsResponse) bool {
		request.ResumeToken = message.ResumeToken
		return takeAll(message.Records, take) && !message.Ended
	})
}

// takeAll stops when take returns false, and returns false then.
func takeAll[T any](items []T, take func(T) bool) bool {
	for _, item := range items {
		if !take(item) {
			return false
		}
	}
	return true
}
