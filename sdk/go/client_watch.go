package muster

import (
	"context"
	"iter"

	"google.golang.org/grpc"

	pb "muster.dev/sdk/go/musterpb"
)

// logPageSize is how many records are fetched at once.
const logPageSize = 200

// Watch gives the job as it is now, then each time it has changed, until it has ended. Changes that follow each other closely
// are folded into one. A connection that is lost is made anew; no change is told twice. Leaving the loop ends the watch, and so
// does the end of the context. An error is the last thing that the loop is given.
//
// Errors: *[Error] NotFound; ResourceExhausted, when too many watch; Unavailable, when the control plane stays out of reach;
// Canceled or DeadlineExceeded, when the context ended first.
func (c *Client) Watch(ctx context.Context, jobID string) iter.Seq2[*pb.Job, error] {
	request := &pb.WatchJobRequest{Namespace: c.namespace, JobId: jobID}
	return func(yield func(*pb.Job, error) bool) {
		var told *pb.Job
		open := func(ctx context.Context) (grpc.ServerStreamingClient[pb.WatchJobResponse], error) {
			return c.jobs.WatchJob(ctx, request)
		}
		err := follow(ctx, c.retry, open, func(message *pb.WatchJobResponse) bool {
			job := message.Job
			if job == nil || told != nil && told.Revision == job.Revision {
				return true
			}
			told = job
			return yield(job, nil) && !HasEnded(job.State)
		})
		if err != nil {
			yield(nil, err)
		}
	}
}

// LogOptions are those of [Client.Logs]. The zero value means what is kept now, of all attempts.
type LogOptions struct {
	// Attempt: only of this one. 0: of all.
	Attempt int
	// Follow goes on until the job has ended, or Attempt is over. Each record comes within milliseconds of its arrival at the
	// control plane.
	Follow bool
}

// Logs gives what the job's handlers have logged: by attempt, and in each in the order of writing. Each record says how many
// before it are missing (skipped): the newest 64 KiB of an attempt are kept. Texts are as the handler wrote them, control
// characters included. Pages are fetched as the loop goes on; with Follow a connection that is lost is made anew, and each
// record comes once. An error is the last thing that the loop is given.
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
	return follow(ctx, c.retry, open, func(news *pb.WatchAttemptLogsResponse) bool {
		request.ResumeToken = news.ResumeToken
		return takeAll(news.Records, take) && !news.Ended
	})
}

// takeAll stops where take wants no more.
func takeAll[T any](items []T, take func(T) bool) bool {
	for _, item := range items {
		if !take(item) {
			return false
		}
	}
	return true
}
