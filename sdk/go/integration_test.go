package muster_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/muster-jobs/muster/sdk/go"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// serverAddress returns the address of a running control plane; without one the test is skipped.
func serverAddress(t *testing.T) string {
	address := os.Getenv("MUSTER_TEST_ADDRESS")
	if address == "" {
		t.Skip("MUSTER_TEST_ADDRESS names no control plane")
	}
	return address
}

// realWorker is a worker and a client of a real control plane.
type realWorker struct {
	*muster.Client
	t      *testing.T
	worker *muster.Worker
	drain  context.CancelFunc
	ended  chan error
	events []muster.WorkerEvent
}

// startRealWorker runs a worker until the test ends.
func startRealWorker(t *testing.T, options muster.WorkerOptions, register func(*muster.Worker)) *realWorker {
	t.Helper()
	client, err := muster.NewClient(muster.ClientOptions{Address: serverAddress(t)})
	if err != nil {
		t.Fatal(err)
	}
	r := &realWorker{Client: client, t: t, ended: make(chan error, 1)}
	options.Address, options.Name, options.Logger = serverAddress(t), "go-test", slog.New(slog.DiscardHandler)
	options.OnEvent = func(event muster.WorkerEvent) { r.events = append(r.events, event) }
	if r.worker, err = muster.NewWorker(options); err != nil {
		t.Fatal(err)
	}
	register(r.worker)
	var ctx context.Context
	ctx, r.drain = context.WithCancel(context.Background())
	go func() { r.ended <- r.worker.Run(ctx) }()
	t.Cleanup(func() {
		r.stop()
		client.Close() // its error does not matter
	})
	return r
}

// stop drains the worker and waits for its end.
func (r *realWorker) stop() {
	r.drain()
	if err := <-r.ended; err != nil {
		r.t.Error(err)
	}
	r.ended <- nil
}

// submit stores the definition and a job of it.
func (r *realWorker) submit(definition *pb.JobDefinition, input any, options ...muster.SubmitOption) string {
	r.t.Helper()
	if _, err := r.ApplyDefinition(r.t.Context(), definition); err != nil {
		r.t.Fatal(err)
	}
	job, err := r.Submit(r.t.Context(), definition.Name, input, options...)
	if err != nil {
		r.t.Fatal(err)
	}
	return job.JobID
}

func (r *realWorker) wait(jobID string) *pb.Job {
	r.t.Helper()
	job, err := r.Wait(r.t.Context(), jobID)
	if err != nil {
		r.t.Fatal(err)
	}
	return job
}

// once is a definition without retries.
func once(name string) *pb.JobDefinition {
	return &pb.JobDefinition{Name: name, RetryPolicy: &pb.RetryPolicy{MaxAttempts: 1}}
}

// twice is a definition with one retry, at once.
func twice(name string) *pb.JobDefinition {
	return &pb.JobDefinition{Name: name, RetryPolicy: &pb.RetryPolicy{
		MaxAttempts: 2, MinBackoff: durationpb.New(time.Millisecond), MaxBackoff: durationpb.New(time.Millisecond),
	}}
}

func TestRealJobs(t *testing.T) {
	r := startRealWorker(t, muster.WorkerOptions{Slots: 50}, func(worker *muster.Worker) {
		muster.Handle(worker, "go-price", func(_ context.Context, in order) (float64, error) { return 2.5 * float64(in.Count), nil })
		worker.HandleFunc("go-echo", func(_ context.Context, input *pb.Payload) (*pb.Payload, error) { return input, nil })
	})
	price, err := muster.Result[float64](t.Context(), r.Client, r.submit(once("go-price"), order{"tea", 3}))
	if err != nil || price != 7.5 {
		t.Fatalf("%v, %v", price, err)
	}
	echo := r.wait(r.submit(once("go-echo"), muster.NewPayload([]byte{0, 255}, "image/x"))).GetResult()
	if string(echo.Data) != "\x00\xff" || echo.ContentType != "image/x" {
		t.Fatalf("%v", echo)
	}
	var many []muster.JobRequest
	for count := range 2_000 {
		many = append(many, muster.JobRequest{Definition: "go-price", Input: order{"tea", count}})
	}
	jobs, err := r.SubmitMany(t.Context(), many)
	if err != nil {
		t.Fatal(err)
	}
	for count, job := range jobs {
		if price, err := muster.Result[float64](t.Context(), r.Client, job.JobID); err != nil || price != 2.5*float64(count) {
			t.Fatalf("%v, %v", price, err)
		}
	}
	again, err := r.Submit(t.Context(), "go-price", order{"tea", 1}, muster.WithIdempotencyKey("go-"+jobs[0].JobID, 0))
	if err != nil || again.Existing {
		t.Fatalf("%v, %v", again, err)
	}
	if same, err := r.Submit(t.Context(), "go-price", order{"tea", 1}, muster.WithIdempotencyKey("go-"+jobs[0].JobID, 0)); err != nil || !same.Existing || same.JobID != again.JobID {
		t.Fatalf("%v, %v", same, err)
	}
	if explained, err := r.Explain(t.Context(), again.JobID); err != nil || explained.Summary == "" {
		t.Fatalf("%v, %v", explained, err)
	}
	for job, err := range r.List(t.Context(), &pb.JobFilter{Definition: "go-echo"}) {
		if err != nil || job.Definition != "go-echo" {
			t.Fatalf("%v, %v", job, err)
		}
	}
}

func TestRealFailures(t *testing.T) {
	r := startRealWorker(t, muster.WorkerOptions{}, func(worker *muster.Worker) {
		muster.Handle(worker, "go-fail", func(context.Context, any) (any, error) {
			return nil, &muster.Failure{Type: "Quota", Message: "none left", ExitCode: 7, Cause: errors.New("beneath")}
		})
		muster.Handle(worker, "go-non-retryable", func(context.Context, any) (any, error) { return nil, muster.NonRetryable(errors.New("never")) })
		muster.Handle(worker, "go-panic", func(context.Context, any) (any, error) { panic("no") })
		muster.Handle(worker, "go-typed", func(_ context.Context, in order) (any, error) { return in, nil })
	})
	var failed *muster.JobFailedError
	_, err := muster.Result[any](t.Context(), r.Client, r.submit(twice("go-fail"), nil))
	if !errors.As(err, &failed) {
		t.Fatal(err)
	}
	failure := failed.Job.GetFailure()
	if failure.Type != "Quota" || failure.ExitCode != 7 || failure.Cause.GetMessage() != "beneath" || failed.Job.AttemptCount != 2 {
		t.Fatalf("%v", failed.Job)
	}
	if job := r.wait(r.submit(twice("go-non-retryable"), nil)); job.AttemptCount != 1 || job.State != pb.JobState_JOB_STATE_FAILED {
		t.Fatalf("%v", job)
	}
	if failure := r.wait(r.submit(once("go-panic"), nil)).GetFailure(); failure.GetType() != "panic" || failure.StackTrace == "" {
		t.Fatalf("%v", failure)
	}
	if failure := r.wait(r.submit(twice("go-typed"), "text")).GetFailure(); failure.GetType() != "PayloadError" {
		t.Fatalf("%v", failure)
	}
	retried, err := r.Retry(t.Context(), failed.Job.JobId)
	if err != nil || retried.RetryOf != failed.Job.JobId {
		t.Fatalf("%v, %v", retried, err)
	}
	r.wait(retried.JobId)
}

func TestRealCancel(t *testing.T) {
	running := make(chan struct{})
	r := startRealWorker(t, muster.WorkerOptions{}, func(worker *muster.Worker) {
		muster.Handle(worker, "go-cancel", func(ctx context.Context, _ any) (any, error) {
			close(running)
			<-ctx.Done()
			var stopped *muster.Stopped
			if !errors.As(context.Cause(ctx), &stopped) || stopped.Reason != muster.StopCancelled {
				t.Errorf("stopped by %v", context.Cause(ctx))
			}
			return nil, ctx.Err()
		})
	})
	id := r.submit(once("go-cancel"), nil)
	<-running
	if _, err := r.Cancel(t.Context(), id, "not needed"); err != nil {
		t.Fatal(err)
	}
	job := r.wait(id)
	if job.State != pb.JobState_JOB_STATE_CANCELLED || job.Cancellation.Stage != pb.CancelStage_CANCEL_STAGE_STOPPED {
		t.Fatalf("%v", job)
	}
	if _, err := r.Cancel(t.Context(), r.wait(r.submit(once("go-cancel"), nil, muster.WithExpireTime(time.Now()))).JobId, ""); err == nil {
		t.Fatal("a job that has expired was cancelled")
	}
}

func TestRealWords(t *testing.T) {
	mayFail := make(chan struct{})
	r := startRealWorker(t, muster.WorkerOptions{}, func(worker *muster.Worker) {
		muster.Handle(worker, "go-words", func(ctx context.Context, _ any) (int, error) {
			job := muster.JobFrom(ctx)
			reached := 0
			if found, err := job.LastCheckpoint(&reached); err != nil || found != (job.Attempt() > 1) {
				t.Errorf("%v, %v", found, err)
			}
			job.Logger().Info("reading", "reached", reached)
			if job.Attempt() > 1 {
				return reached, nil
			}
			job.Progress(0.5, "half way")
			if err := job.ExtendRunTimeout(time.Minute); err != nil {
				t.Error(err)
			}
			<-mayFail
			if err := job.Checkpoint(7); err != nil {
				t.Error(err)
			}
			return 0, errors.New("again")
		})
	})
	definition := twice("go-words")
	definition.RunTimeout = durationpb.New(time.Minute)
	id := r.submit(definition, nil)
	for job, err := range r.Watch(t.Context(), id) {
		if err != nil {
			t.Fatal(err)
		}
		if job.Progress.GetMessage() == "half way" {
			break
		}
	}
	close(mayFail)
	reached, err := muster.Result[int](t.Context(), r.Client, id)
	if err != nil || reached != 7 {
		t.Fatalf("%d, %v", reached, err)
	}
	for _, follow := range []bool{false, true} {
		read := ""
		for record, err := range r.Logs(t.Context(), id, muster.LogOptions{Follow: follow}) {
			read += fmt.Sprintf("%d %s %s %v\n", record.GetAttempt(), record.GetMessage(), record.GetFields()["reached"], err)
		}
		if read != "1 reading 0 <nil>\n2 reading 7 <nil>\n" {
			t.Errorf("the log reads %s", read)
		}
	}
}

func TestRealRunTimeout(t *testing.T) {
	r := startRealWorker(t, muster.WorkerOptions{}, func(worker *muster.Worker) {
		muster.Handle(worker, "go-slow", func(ctx context.Context, _ any) (any, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		})
	})
	failure := r.wait(r.submit(once("go-slow"), nil, muster.WithRunTimeout(200*time.Millisecond))).GetFailure()
	if failure.GetType() != "RunTimeout" || failure.FailureCause != pb.FailureCause_FAILURE_CAUSE_TIMEOUT {
		t.Fatalf("%v", failure)
	}
}

func TestRealDrain(t *testing.T) {
	running, finish := make(chan struct{}), make(chan struct{})
	r := startRealWorker(t, muster.WorkerOptions{}, func(worker *muster.Worker) {
		muster.Handle(worker, "go-drain", func(context.Context, any) (string, error) {
			close(running)
			<-finish
			return "finished", nil
		})
	})
	id := r.submit(once("go-drain"), nil)
	<-running
	r.drain()
	close(finish)
	r.stop()
	if text, err := muster.Result[string](t.Context(), r.Client, id); err != nil || text != "finished" {
		t.Fatalf("%q, %v", text, err)
	}
	if r.worker.SessionID() != "" || r.events[len(r.events)-1] != muster.EventClosed || r.worker.Stats().Acknowledged != 1 {
		t.Fatalf("%q, %v, %+v", r.worker.SessionID(), r.events, r.worker.Stats())
	}
}

func TestRealHandlersThatDoNotStop(t *testing.T) {
	running, finish := make(chan struct{}), make(chan struct{})
	defer close(finish)
	r := startRealWorker(t, muster.WorkerOptions{StopTimeout: -1}, func(worker *muster.Worker) {
		muster.Handle(worker, "go-stubborn", func(ctx context.Context, _ any) (any, error) {
			close(running)
			<-finish
			return nil, nil
		})
	})
	id := r.submit(once("go-stubborn"), nil)
	<-running
	r.stop()
	if job, err := r.Get(t.Context(), id); err != nil || muster.HasEnded(job.State) || job.SessionId != "" {
		t.Fatalf("%v, %v", job, err)
	}
	if _, err := r.Cancel(t.Context(), id, "the test is over"); err != nil {
		t.Fatal(err)
	}
}
