package muster_test

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/muster-jobs/muster/sdk/go"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

func TestBatches(t *testing.T) {
	fake, client := startFakeServer(t)
	ctx := t.Context()
	batch, err := client.CreateBatch(ctx, &pb.Batch{Description: "tea"}, muster.WithRequestID("r"))
	if err != nil || batch.JobID != "b" {
		t.Fatalf("%v, %v", batch, err)
	}
	if request := fake.requests[0].(*pb.CreateBatchRequest); request.Namespace != "shop" || request.Batch.Description != "tea" || request.RequestId != "r" {
		t.Errorf("%v", request)
	}
	if _, err := batch.Submit(ctx, "resize", 1, muster.WithPriority(2)); err != nil {
		t.Error(err)
	}
	if request := fake.requests[1].(*pb.SubmitJobRequest); request.BatchJobId != "b" || request.Job.GetPriority() != 2 {
		t.Errorf("%v", request)
	}
	if jobs, err := batch.SubmitMany(ctx, []muster.JobRequest{{Definition: "resize"}, {Definition: "resize"}}); err != nil || len(jobs) != 2 {
		t.Errorf("%v, %v", jobs, err)
	}
	if request := fake.requests[2].(*pb.SubmitJobsRequest); request.BatchJobId != "b" {
		t.Errorf("%v", request)
	}
	if sealed, err := batch.Seal(ctx); err != nil || !sealed.Sealed {
		t.Errorf("%v, %v", sealed, err)
	}
	if request := fake.requests[3].(*pb.SealBatchRequest); request.JobId != "b" || request.Namespace != "shop" || request.RequestId == "" {
		t.Errorf("%v", request)
	}
	if ended, err := batch.Wait(ctx); err != nil || ended.Counts.Members != 3 {
		t.Errorf("%v, %v", ended, err)
	}
	wait, get := fake.requests[4].(*pb.WaitJobRequest), fake.requests[5].(*pb.GetBatchRequest)
	if wait.JobId != "b" || get.JobId != "b" || get.Namespace != "shop" {
		t.Errorf("%v, %v", wait, get)
	}
	fake.failures = []error{failure(codes.NotFound, "BATCH_NOT_FOUND")}
	if _, err := client.Batch("other").Wait(ctx); !errors.Is(err, muster.Reason("BATCH_NOT_FOUND")) {
		t.Error(err)
	}
}

func TestPauseAndResume(t *testing.T) {
	fake, client := startFakeServer(t)
	paused, err := client.Pause(t.Context(), "j", "later")
	if err != nil || paused.State != pb.JobState_JOB_STATE_PAUSED {
		t.Errorf("%v, %v", paused, err)
	}
	_, err = client.Pause(t.Context(), "j", "", muster.WithRunning(), muster.WithGrace(time.Second), muster.WithStoppedTimeouts(), muster.WithRequestID("p"))
	if err != nil {
		t.Error(err)
	}
	resumed, err := client.Resume(t.Context(), "j", muster.WithRequestID("r"))
	if err != nil || resumed.State != pb.JobState_JOB_STATE_READY {
		t.Errorf("%v, %v", resumed, err)
	}
	suspend := fake.requests[1].(*pb.PauseJobRequest)
	if !suspend.Running || suspend.Grace.AsDuration() != time.Second || suspend.Timeouts != pb.PausedTimeouts_PAUSED_TIMEOUTS_STOP || suspend.RequestId != "p" {
		t.Errorf("%v", suspend)
	}
	pause, resume := fake.requests[0].(*pb.PauseJobRequest), fake.requests[2].(*pb.ResumeJobRequest)
	if pause.Reason != "later" || pause.RequestId == "" || pause.JobId != "j" || resume.RequestId != "r" || resume.JobId != "j" || resume.Namespace != "shop" {
		t.Errorf("%v, %v", pause, resume)
	}
}

func TestFail(t *testing.T) {
	fake, client := startFakeServer(t)
	failed, err := client.Fail(t.Context(), "j", "he has left", muster.WithRequestID("r"))
	if err != nil || failed.State != pb.JobState_JOB_STATE_FAILED {
		t.Errorf("%v, %v", failed, err)
	}
	request := fake.requests[0].(*pb.FailJobRequest)
	if request.JobId != "j" || request.Reason != "he has left" || request.RequestId != "r" || request.Namespace != "shop" {
		t.Errorf("%v", request)
	}
}

func TestCancelWithGrace(t *testing.T) {
	fake, client := startFakeServer(t)
	if _, err := client.Cancel(t.Context(), "j", "enough", muster.WithGrace(0), muster.WithRequestID("r")); err != nil {
		t.Error(err)
	}
	request := fake.requests[0].(*pb.CancelJobRequest)
	if request.Grace == nil || request.Grace.AsDuration() != 0 || request.RequestId != "r" || request.Reason != "enough" {
		t.Errorf("%v", request)
	}
}
