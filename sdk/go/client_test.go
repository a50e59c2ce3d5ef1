package muster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/muster-jobs/muster/sdk/go"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

func TestSubmitSendsAllOptions(t *testing.T) {
	fake, client := startFakeServer(t)
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	job, err := client.Submit(t.Context(), "resize", order{"tea", 1},
		muster.WithDefinitionVersion(2), muster.WithLabels(map[string]string{"a": "b"}), muster.WithPriority(-5),
		muster.WithRunTime(at), muster.WithExpireTime(at), muster.WithQueue("images"), muster.WithFairnessKey("tenant"),
		muster.WithRetryPolicy(&pb.RetryPolicy{MaxAttempts: 2}), muster.WithRunTimeout(time.Minute),
		muster.WithDemands(&pb.Demands{Required: "true"}), muster.WithSticky("k", pb.StickyMode_STICKY_MODE_HARD),
		muster.WithSoftDeadline(&pb.SoftDeadline{Reaction: pb.DeadlineReaction_DEADLINE_REACTION_CANCEL}),
		muster.WithDependsOn(&pb.Dependency{}), muster.WithTrace("00-1", "s=1"),
		muster.WithIdempotencyKey("key", pb.IdempotencyConflictPolicy_IDEMPOTENCY_CONFLICT_POLICY_FAIL),
		muster.WithBatch("b"), muster.WithRequestID("r"),
	)
	if err != nil || job.JobID != "j" || !job.Existing {
		t.Fatalf("%v, %v", job, err)
	}
	request := fake.requests[0].(*pb.SubmitJobRequest)
	said := request.Job
	if request.Namespace != "shop" || request.RequestId != "r" || request.BatchJobId != "b" || request.Parent != nil ||
		said.Definition != "resize" || string(said.Input.Data) != `{"article":"tea","count":1}` || said.DefinitionVersion != 2 ||
		said.Labels["a"] != "b" || said.GetPriority() != -5 || !said.GetRunTime().AsTime().Equal(at) || !said.ExpireTime.AsTime().Equal(at) ||
		said.Queue != "images" || said.FairnessKey != "tenant" || said.RetryPolicy.MaxAttempts != 2 ||
		said.RunTimeout.AsDuration() != time.Minute || said.Demands.Required != "true" || said.Sticky.JobId != "k" ||
		said.SoftDeadline.Reaction != pb.DeadlineReaction_DEADLINE_REACTION_CANCEL ||
		len(said.DependsOn) != 1 || said.Traceparent != "00-1" || said.Tracestate != "s=1" || said.IdempotencyKey != "key" ||
		said.IdempotencyConflictPolicy != pb.IdempotencyConflictPolicy_IDEMPOTENCY_CONFLICT_POLICY_FAIL {
		t.Fatalf("%v", request)
	}
	if _, err := client.Submit(t.Context(), "resize", nil, muster.WithDelay(time.Second)); err != nil {
		t.Fatal(err)
	}
	plain := fake.requests[1].(*pb.SubmitJobRequest)
	if plain.Job.Priority != nil || plain.Job.GetDelay().AsDuration() != time.Second || plain.Job.Input != nil || len(plain.RequestId) != 36 {
		t.Fatalf("%v", plain)
	}
}

func TestSubmitMany(t *testing.T) {
	fake, client := startFakeServer(t)
	jobs, err := client.SubmitMany(t.Context(), []muster.JobRequest{
		{Definition: "a", Input: 1, IdempotencyKey: "k"},
		{Definition: "b", Options: []muster.JobOption{muster.WithPriority(3)}},
	}, muster.WithBatch("batch"))
	if err != nil || len(jobs) != 2 {
		t.Fatalf("%v, %v", jobs, err)
	}
	request := fake.requests[0].(*pb.SubmitJobsRequest)
	if request.BatchJobId != "batch" || request.RequestId == "" || request.Jobs[0].IdempotencyKey != "k" || request.Jobs[1].GetPriority() != 3 {
		t.Fatalf("%v", request)
	}
	if _, err := client.SubmitMany(t.Context(), []muster.JobRequest{{Definition: "a", Input: func() {}}}); err == nil {
		t.Fatal("an input that can't be written was submitted")
	}
}

func TestCallsAreRepeatedUnderOneRequestID(t *testing.T) {
	fake, client := startFakeServer(t)
	away := status.Error(codes.Unavailable, "away")
	fake.failures = []error{away, failure(codes.ResourceExhausted, "OVERLOADED", retryInfo(time.Millisecond)), away}
	if _, err := client.Submit(t.Context(), "a", nil); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, request := range fake.requests {
		ids[request.(*pb.SubmitJobRequest).RequestId] = true
	}
	if len(fake.requests) != 4 || len(ids) != 1 {
		t.Fatalf("%d calls under %d ids", len(fake.requests), len(ids))
	}
}

func TestCallsAreRepeatedABoundedNumberOfTimes(t *testing.T) {
	for name, test := range map[string]struct {
		failure error
		calls   int
	}{
		"away":           {status.Error(codes.Unavailable, "away"), 4},
		"throttled":      {failure(codes.ResourceExhausted, "THROTTLED", retryInfo(time.Millisecond)), 1},
		"a full queue":   {failure(codes.ResourceExhausted, "LIMIT_REACHED"), 1},
		"a bad field":    {failure(codes.InvalidArgument, "INVALID_FIELD"), 1},
		"an inner fault": {failure(codes.Internal, "INTERNAL"), 1},
	} {
		fake, client := startFakeServer(t)
		for range 10 {
			fake.failures = append(fake.failures, test.failure)
		}
		if _, err := client.Cancel(t.Context(), "j", "why"); err == nil || len(fake.requests) != test.calls {
			t.Errorf("%s: %d calls, %v", name, len(fake.requests), err)
		}
	}
}

func TestCallsEndWithTheirContext(t *testing.T) {
	fake, client := startFakeServer(t)
	fake.failures = []error{failure(codes.ResourceExhausted, "OVERLOADED", retryInfo(time.Hour))}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var refused *muster.Error
	if _, err := client.Get(ctx, "j"); !errors.As(err, &refused) || refused.RetryDelay != time.Hour {
		t.Fatalf("%v: a wait longer than the context was begun", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := client.Get(ended, "j"); !errors.As(err, &refused) || refused.Code != codes.Canceled || !errors.Is(err, context.Canceled) && status.Code(err) != codes.Canceled {
		t.Fatalf("%v", err)
	}
}

func TestErrorsSayWhatTheServerSays(t *testing.T) {
	fake, client := startFakeServer(t)
	fake.failures = []error{failure(codes.InvalidArgument, "INVALID_FIELD", retryInfo(2*time.Second), &errdetails.BadRequest{
		FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "job.priority", Description: "is too high"}},
	})}
	_, err := client.Submit(t.Context(), "a", nil)
	var refused *muster.Error
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	if refused.Code != codes.InvalidArgument || refused.Message != "it went wrong" || refused.Reason != "INVALID_FIELD" ||
		refused.Metadata["job_id"] != "j" || fmt.Sprint(refused.FieldViolations) != "[{job.priority is too high}]" || refused.RetryDelay != 2*time.Second {
		t.Fatalf("%+v", refused)
	}
	if !errors.Is(err, muster.Reason("INVALID_FIELD")) || errors.Is(err, muster.Reason("")) || errors.Is(err, muster.Reason("OTHER")) {
		t.Fatal("the reason does not match")
	}
	if status.Code(err) != codes.InvalidArgument || len(status.Convert(err).Details()) != 3 {
		t.Fatalf("gRPC reads %v", status.Convert(err))
	}
	if !strings.Contains(err.Error(), "INVALID_FIELD") || !strings.Contains(err.Error(), "it went wrong") {
		t.Fatal(err)
	}
}

func TestErrorsWithoutAServer(t *testing.T) {
	if _, err := muster.NewClient(muster.ClientOptions{}); err == nil {
		t.Error("a client without an address was made")
	}
	client, err := muster.NewClient(muster.ClientOptions{Address: "127.0.0.1:1", Retry: muster.RetryOptions{MaxAttempts: 2, MinBackoff: 1, MaxBackoff: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var refused *muster.Error
	if _, err := client.Get(t.Context(), "j"); !errors.As(err, &refused) || refused.Code != codes.Unavailable || refused.Reason != "" {
		t.Errorf("%v", err)
	}
}

func TestWaitAndResult(t *testing.T) {
	fake, client := startFakeServer(t)
	running := &pb.Job{JobId: "j", State: pb.JobState_JOB_STATE_RUNNING}
	fake.jobs = []*pb.Job{running, running}
	// A wait tolerates more failures than a call.
	for range 8 {
		fake.failures = append(fake.failures, status.Error(codes.Unavailable, "away"))
	}
	seven, err := muster.Result[int](t.Context(), client, "j")
	if err != nil || seven != 7 {
		t.Fatalf("%d, %v", seven, err)
	}
	fake.jobs = []*pb.Job{{JobId: "j", State: pb.JobState_JOB_STATE_FAILED, Outcome: &pb.Job_Failure{Failure: &pb.Failure{Type: "Quota", Message: "none left"}}}}
	var failed *muster.JobFailedError
	if _, err := muster.Result[int](t.Context(), client, "j"); !errors.As(err, &failed) || err.Error() != "job j ended FAILED: Quota: none left" {
		t.Fatalf("%v", err)
	}
	fake.jobs = []*pb.Job{{JobId: "j", State: pb.JobState_JOB_STATE_SKIPPED, StateReason: "by hand"}}
	if _, err := muster.Result[int](t.Context(), client, "j"); err == nil || err.Error() != "job j ended SKIPPED: by hand" {
		t.Fatalf("%v", err)
	}
	fake.failures = []error{failure(codes.NotFound, "JOB_NOT_FOUND")}
	if _, err := client.Wait(t.Context(), "j"); !errors.Is(err, muster.Reason("JOB_NOT_FOUND")) {
		t.Fatalf("%v", err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	fake, client := startFakeServer(t)
	for range 1_000 {
		fake.jobs = append(fake.jobs, &pb.Job{JobId: "j", State: pb.JobState_JOB_STATE_READY})
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	// The second request shows that the first was answered.
	fake.onJob = func() {
		if len(fake.requests) == 2 {
			cancel(nil)
		}
	}
	job, err := client.Wait(ctx, "j")
	if job.GetState() != pb.JobState_JOB_STATE_READY || !errors.Is(err, muster.ReasonWaitTimeout) || !errors.Is(err, context.Canceled) || status.Code(err) != codes.Canceled {
		t.Fatalf("%v, %v", job, err)
	}
	over, cancelOver := context.WithTimeout(t.Context(), 0)
	defer cancelOver()
	if _, err := client.Wait(over, "j"); status.Code(err) != codes.DeadlineExceeded || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if job, err := client.Wait(ended, "j"); job != nil || status.Code(err) != codes.Canceled {
		t.Fatalf("%v, %v", job, err)
	}
}

func TestListFetchesPages(t *testing.T) {
	fake, client := startFakeServer(t)
	count := 0
	filter := &pb.JobFilter{Definition: "resize", Labels: map[string]string{"a": "b"}}
	for job, err := range client.List(t.Context(), filter) {
		if err != nil || job.JobId != "a" {
			t.Fatal(job, err)
		}
		count++
	}
	if count != 2 || len(fake.requests) != 3 || fake.requests[2].(*pb.ListJobsRequest).Filter.GetDefinition() != "resize" {
		t.Fatalf("%d jobs, %v", count, fake.requests)
	}
	for range client.List(t.Context(), nil) {
		break
	}
	if len(fake.requests) != 4 {
		t.Fatal("a page was fetched after the loop had ended")
	}
	fake.failures = []error{failure(codes.InvalidArgument, "INVALID_FIELD")}
	for job, err := range client.List(t.Context(), nil) {
		if job != nil || !errors.Is(err, muster.Reason("INVALID_FIELD")) {
			t.Fatal(job, err)
		}
	}
}

func TestOtherCalls(t *testing.T) {
	fake, client := startFakeServer(t)
	ctx := t.Context()
	if _, err := client.Get(ctx, "j"); status.Code(err) != codes.Internal {
		t.Errorf("a reply without a job: %v", err)
	}
	given := &pb.JobDefinition{Name: "resize"}
	applied, err := client.ApplyDefinition(ctx, given)
	if err != nil || applied.Definition.Namespace != "shop" || applied.Definition.GetTask() == nil || given.Body != nil {
		t.Errorf("%v, %v", applied, err)
	}
	if _, err := client.SendSignal(ctx, "paid", muster.Signal{Key: "k", Payload: 1, KeepFor: -1}); err != nil {
		t.Error(err)
	}
	signal := fake.requests[2].(*pb.SendSignalRequest)
	if signal.Name != "paid" || signal.Key != "k" || string(signal.Payload.Data) != "1" || signal.KeepFor == nil || signal.KeepFor.AsDuration() != 0 || signal.RequestId == "" {
		t.Errorf("%v", signal)
	}
	client.SendSignal(ctx, "paid", muster.Signal{}) // only the request matters
	if signal := fake.requests[3].(*pb.SendSignalRequest); signal.KeepFor != nil || signal.Payload != nil {
		t.Errorf("%v", signal)
	}
	client.Approve(ctx, "j", "fine", order{"tea", 1}, muster.WithRequestID("r")) // as above
	if approval := fake.requests[4].(*pb.ApproveJobRequest); approval.Comment != "fine" || approval.RequestId != "r" || approval.Payload == nil {
		t.Errorf("%v", approval)
	}
	client.Reject(ctx, "j", "no")              // as above
	client.Cancel(ctx, "j", "why")             // as above
	client.Retry(ctx, "j")                     // as above
	explained, err := client.Explain(ctx, "j") // here also the answer
	if err != nil || explained.Summary != "why" {
		t.Errorf("%v, %v", explained, err)
	}
	if reject, cancel := fake.requests[5].(*pb.RejectJobRequest), fake.requests[6].(*pb.CancelJobRequest); reject.Reason != "no" || cancel.Reason != "why" || cancel.RequestId == "" || cancel.Namespace != "shop" {
		t.Errorf("%v, %v", reject, cancel)
	}
}
