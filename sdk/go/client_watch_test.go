package muster_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/muster-jobs/muster/sdk/go"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

var errAway = status.Error(codes.Unavailable, "away")

func jobAt(revision int64, state pb.JobState) *pb.Job {
	return &pb.Job{JobId: "j", Revision: revision, State: state}
}

// revisions returns the revisions that a watch yields, and its error.
func revisions(ctx context.Context, client *muster.Client) (seen []int64, failure error) {
	for job, err := range client.Watch(ctx, "j") {
		if err != nil {
			return seen, err
		}
		seen = append(seen, job.Revision)
	}
	return seen, nil
}

func TestWatchOutlivesItsStreams(t *testing.T) {
	fake, client := startFakeServer(t)
	const ready, running, ended = pb.JobState_JOB_STATE_READY, pb.JobState_JOB_STATE_RUNNING, pb.JobState_JOB_STATE_SUCCEEDED
	fake.streams = []fakeStream{
		{jobs: []*pb.Job{jobAt(1, ready)}},
		{breaks: errAway},
		{breaks: errAway},
		{jobs: []*pb.Job{jobAt(1, ready), nil, jobAt(3, running)}, breaks: errAway},
		{breaks: errAway},
		{breaks: errAway},
		{jobs: []*pb.Job{jobAt(3, running), jobAt(5, ended)}, stays: true},
	}
	seen, err := revisions(t.Context(), client)
	if fmt.Sprint(seen) != "[1 3 5]" || err != nil || len(fake.requests) != 7 {
		t.Fatalf("%v, %v after %d calls", seen, err, len(fake.requests))
	}
	if request := fake.requests[6].(*pb.WatchJobRequest); request.Namespace != "shop" || request.JobId != "j" {
		t.Fatalf("%v", request)
	}
}

func TestWatchFails(t *testing.T) {
	for name, test := range map[string]struct {
		streams []fakeStream
		code    codes.Code
		calls   int
	}{
		"away":           {[]fakeStream{{breaks: errAway}, {breaks: errAway}, {breaks: errAway}, {breaks: errAway}, {}}, codes.Unavailable, 4},
		"ends too early": {nil, codes.Unavailable, 4},
		"there is none":  {[]fakeStream{{breaks: failure(codes.NotFound, "JOB_NOT_FOUND")}}, codes.NotFound, 1},
	} {
		fake, client := startFakeServer(t)
		fake.streams = test.streams
		seen, err := revisions(t.Context(), client)
		var refused *muster.Error
		if !errors.As(err, &refused) || refused.Code != test.code || len(seen) != 0 || len(fake.requests) != test.calls {
			t.Errorf("%s: %v, %v after %d calls", name, seen, err, len(fake.requests))
		}
	}
}

func TestWatchEndsWithItsLoopAndItsContext(t *testing.T) {
	fake, client := startFakeServer(t)
	running := fakeStream{jobs: []*pb.Job{jobAt(1, pb.JobState_JOB_STATE_RUNNING), jobAt(2, pb.JobState_JOB_STATE_RUNNING)}, stays: true}
	fake.streams = []fakeStream{running, running}
	watch := client.Watch(t.Context(), "j")
	for range watch {
		break
	}
	// The watch can be started again, and yields everything again.
	for job, err := range watch {
		if err != nil || job.Revision != 1 {
			t.Fatalf("%v, %v", job, err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fake.streams = []fakeStream{running}
	var last error
	for _, err := range client.Watch(ctx, "j") {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) || status.Code(last) != codes.Canceled {
		t.Fatalf("%v", last)
	}
}

// sequences returns the sequences that are read, and the error.
func sequences(ctx context.Context, client *muster.Client, options muster.LogOptions) (read []int64, failure error) {
	for record, err := range client.Logs(ctx, "j", options) {
		if err != nil {
			return read, err
		}
		read = append(read, record.Sequence)
	}
	return read, nil
}

func TestLogsAreFollowedOverStreams(t *testing.T) {
	fake, client := startFakeServer(t)
	message := func(resumeToken string, ended bool, sequences ...int64) *pb.WatchAttemptLogsResponse {
		message := &pb.WatchAttemptLogsResponse{ResumeToken: resumeToken, Ended: ended}
		for _, sequence := range sequences {
			message.Records = append(message.Records, &pb.LogRecord{Sequence: sequence})
		}
		return message
	}
	fake.streams = []fakeStream{
		{logs: []*pb.WatchAttemptLogsResponse{message("start", false), message("a", false, 1, 2)}, breaks: errAway},
		{logs: []*pb.WatchAttemptLogsResponse{message("b", false, 3)}},
		{logs: []*pb.WatchAttemptLogsResponse{message("c", true, 4)}, stays: true},
	}
	read, err := sequences(t.Context(), client, muster.LogOptions{Attempt: 2, Follow: true})
	if fmt.Sprint(read) != "[1 2 3 4]" || err != nil || len(fake.requests) != 3 {
		t.Fatalf("%v, %v after %d calls", read, err, len(fake.requests))
	}
	for i, token := range []string{"", "a", "b"} {
		request := fake.requests[i].(*pb.WatchAttemptLogsRequest)
		if request.ResumeToken != token || request.Attempt != 2 || request.JobId != "j" || request.Namespace != "shop" {
			t.Errorf("%v", request)
		}
	}
	fake.streams = []fakeStream{{breaks: failure(codes.NotFound, "JOB_NOT_FOUND")}}
	if _, err := sequences(t.Context(), client, muster.LogOptions{Follow: true}); !errors.Is(err, muster.Reason("JOB_NOT_FOUND")) {
		t.Errorf("%v", err)
	}
}

func TestLogsAreReadPageByPage(t *testing.T) {
	fake, client := startFakeServer(t)
	fake.failures = []error{errAway}
	read, err := sequences(t.Context(), client, muster.LogOptions{Attempt: 2})
	if fmt.Sprint(read) != "[1 2 3]" || err != nil || len(fake.requests) != 3 {
		t.Fatalf("%v, %v after %d calls", read, err, len(fake.requests))
	}
	if request := fake.requests[2].(*pb.ListAttemptLogsRequest); request.Attempt != 2 || request.PageToken != "second" || request.PageSize != 200 {
		t.Errorf("%v", request)
	}
	for range client.Logs(t.Context(), "j", muster.LogOptions{}) {
		break
	}
	if len(fake.requests) != 4 {
		t.Error("a page was fetched after the loop had ended")
	}
	fake.failures = []error{failure(codes.NotFound, "JOB_NOT_FOUND")}
	if read, err := sequences(t.Context(), client, muster.LogOptions{}); len(read) != 0 || !errors.Is(err, muster.Reason("JOB_NOT_FOUND")) {
		t.Errorf("%v, %v", read, err)
	}
}
