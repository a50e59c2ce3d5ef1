package muster_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/muster-jobs/muster/sdk/go"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

func TestRealChildren(t *testing.T) {
	r := startRealWorker(t, muster.WorkerOptions{Slots: 1}, func(worker *muster.Worker) {
		muster.Handle(worker, "go-page", func(_ context.Context, book string) (int, error) {
			if book == "" {
				return 0, errors.New("no book")
			}
			return len(book), nil
		})
		muster.Handle(worker, "go-library", func(ctx context.Context, books []string) (int, error) {
			var children []muster.Child
			for _, book := range books {
				child, err := muster.JobFrom(ctx).Submit(ctx, "go-page", book, muster.WithPriority(1))
				if err != nil {
					return 0, err
				}
				children = append(children, child)
			}
			pages, err := muster.WaitChildren[int](ctx, children...)
			sum := 0
			for _, count := range pages {
				sum += count
			}
			return sum, err
		})
	})
	if _, err := r.ApplyDefinition(t.Context(), once("go-page")); err != nil {
		t.Fatal(err)
	}
	id := r.submit(once("go-library"), []string{"Emma", "Ulysses"})
	if sum, err := muster.Result[int](t.Context(), r.Client, id); err != nil || sum != 11 {
		t.Fatalf("%d, %v", sum, err)
	}
	if job := r.wait(id); job.AttemptCount != 1 || job.Attempt < 2 {
		t.Fatalf("%v", job)
	}
	if failure := r.wait(r.submit(once("go-library"), []string{""})).GetFailure(); failure.GetType() != "JobFailedError" {
		t.Fatalf("%v", failure)
	}
}

func TestRealBatch(t *testing.T) {
	r := startRealWorker(t, muster.WorkerOptions{}, func(worker *muster.Worker) {
		muster.Handle(worker, "go-member", func(_ context.Context, count int) (int, error) { return count, nil })
	})
	if _, err := r.ApplyDefinition(t.Context(), once("go-member")); err != nil {
		t.Fatal(err)
	}
	batch, err := r.CreateBatch(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	later, err := batch.Submit(t.Context(), "go-member", 1, muster.WithDelay(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := batch.SubmitMany(t.Context(), []muster.JobRequest{{Definition: "go-member", Input: 2}, {Definition: "go-member", Input: 3}}); err != nil {
		t.Fatal(err)
	}
	if sealed, err := batch.Seal(t.Context()); err != nil || !sealed.Sealed {
		t.Fatalf("%v, %v", sealed, err)
	}
	if job, err := r.Pause(t.Context(), later.JobID, "not yet"); err != nil || job.State != pb.JobState_JOB_STATE_PAUSED {
		t.Fatalf("%v, %v", job, err)
	}
	if job, err := r.Resume(t.Context(), later.JobID); err != nil || job.State != pb.JobState_JOB_STATE_SCHEDULED {
		t.Fatalf("%v, %v", job, err)
	}
	if _, err := r.Cancel(t.Context(), later.JobID, "not needed"); err != nil {
		t.Fatal(err)
	}
	ended, err := batch.Wait(t.Context())
	if err != nil || ended.Counts.Members != 3 || ended.Counts.Succeeded != 2 || ended.Counts.Cancelled != 1 {
		t.Fatalf("%v, %v", ended, err)
	}
	if _, err := batch.Submit(t.Context(), "go-member", 4); status.Code(err) != codes.FailedPrecondition {
		t.Fatalf("a sealed batch took a member: %v", err)
	}
}
