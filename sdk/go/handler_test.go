package muster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/muster-jobs/muster/sdk/go"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/mustertest"
)

// failing runs a handler that returns the error, and returns the reported failure.
func failing(t *testing.T, err error) *pb.Failure {
	t.Helper()
	outcome := mustertest.Run(t.Context(), func(context.Context, any) (any, error) { return nil, err }, nil)
	if outcome.Failure == nil {
		t.Fatal("the handler did not fail")
	}
	return outcome.Failure
}

type quotaExceeded struct{ left int }

func (q quotaExceeded) Error() string { return fmt.Sprintf("%d left", q.left) }

func TestFailureTypes(t *testing.T) {
	for name, test := range map[string]struct {
		err           error
		kind, message string
	}{
		"plain":            {errors.New("no"), "error", "no"},
		"formatted":        {fmt.Errorf("no %d", 1), "error", "no 1"},
		"a type":           {quotaExceeded{3}, "quotaExceeded", "3 left"},
		"wrapped":          {fmt.Errorf("reading: %w", quotaExceeded{3}), "quotaExceeded", "reading: 3 left"},
		"joined":           {errors.Join(quotaExceeded{3}, errors.New("b")), "quotaExceeded", "3 left\nb"},
		"of the library":   {&fs.PathError{Op: "open", Path: "a", Err: fs.ErrNotExist}, "PathError", "open a: file does not exist"},
		"said":             {&muster.Failure{Type: "Mine", Message: "m"}, "Mine", "m"},
		"said of a cause":  {&muster.Failure{Type: "Mine", Cause: errors.New("c")}, "Mine", "c"},
		"non-retryable":    {muster.NonRetryable(quotaExceeded{3}), "quotaExceeded", "3 left"},
		"not UTF-8":        {errors.New("a\xffb"), "error", "a\uFFFDb"},
		"a nil pointer in": {(*nilError)(nil), "error", ""},
	} {
		failure := failing(t, test.err)
		if failure.Type != test.kind || (test.message != "" && failure.Message != test.message) {
			t.Errorf("%s: %s: %s", name, failure.Type, failure.Message)
		}
		if failure.FailureCause != pb.FailureCause_FAILURE_CAUSE_APPLICATION {
			t.Errorf("%s: cause %v", name, failure.FailureCause)
		}
	}
}

type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

func TestFailureSteering(t *testing.T) {
	failure := failing(t, fmt.Errorf("outside: %w", muster.NonRetryable(muster.RetryAfter(3*time.Second, muster.Infrastructure(quotaExceeded{})))))
	if !failure.NonRetryable || failure.RetryDelay.AsDuration() != 3*time.Second ||
		failure.FailureCause != pb.FailureCause_FAILURE_CAUSE_INFRASTRUCTURE || failure.Type != "quotaExceeded" {
		t.Errorf("%v", failure)
	}
	detailed := failing(t, &muster.Failure{Message: "m", ExitCode: 7, Details: order{"tea", 1}, Cause: errors.New("beneath")})
	if detailed.ExitCode != 7 || string(detailed.Details.GetData()) != `{"article":"tea","count":1}` || detailed.Cause.GetMessage() != "beneath" {
		t.Errorf("%v", detailed)
	}
	if delay := failing(t, muster.RetryAfter(-1, errors.New("x"))).RetryDelay; delay == nil || delay.AsDuration() != 0 {
		t.Errorf("a negative delay is %v", delay)
	}
	if failure := failing(t, errors.New("x")); failure.NonRetryable || failure.RetryDelay != nil || failure.ExitCode != 0 {
		t.Errorf("%v", failure)
	}
}

func TestFailureExitCodes(t *testing.T) {
	for script, want := range map[string]int32{"exit 3": 3, "kill -9 $$": 137} {
		if failure := failing(t, fmt.Errorf("run: %w", exec.Command("sh", "-c", script).Run())); failure.ExitCode != want {
			t.Errorf("%s: %d", script, failure.ExitCode)
		}
	}
}

func TestFailureIsBounded(t *testing.T) {
	err := errors.New(strings.Repeat("ä", 10_000))
	for range 30 {
		err = fmt.Errorf("%w", err)
	}
	failure := failing(t, err)
	levels := 0
	for f := failure; f != nil; f = f.Cause {
		levels++
		if len(f.Message) != 8*1024 {
			t.Fatalf("a message of %d bytes", len(f.Message))
		}
	}
	if levels != 16 {
		t.Fatalf("%d causes", levels)
	}
}

func TestHandlersThatDoNotReturn(t *testing.T) {
	for name, test := range map[string]struct {
		end           func()
		kind, message string
		stack         bool
	}{
		"a panic":          {func() { panic("no") }, "panic", "no", true},
		"an error panics":  {func() { panic(quotaExceeded{1}) }, "panic", "1 left", true},
		"a nil map panics": {func() { var m map[int]int; m[1] = 1 }, "panic", "assignment to entry in nil map", true},
		"Goexit":           {runtime.Goexit, "error", "", false},
	} {
		outcome := mustertest.Run(t.Context(), func(context.Context, any) (any, error) {
			test.end()
			return nil, nil
		}, nil)
		failure := outcome.Failure
		if failure == nil || failure.Type != test.kind || !strings.Contains(failure.Message, test.message) {
			t.Errorf("%s: %v", name, failure)
			continue
		}
		if test.stack != strings.Contains(failure.StackTrace, "handler_test.go") {
			t.Errorf("%s: the stack is %q", name, failure.StackTrace)
		}
	}
}

func TestTypedHandlers(t *testing.T) {
	price := func(_ context.Context, in order) (float64, error) { return 2.5 * float64(in.Count), nil }
	if outcome := mustertest.Run(t.Context(), price, order{"tea", 3}); outcome.Result != 7.5 {
		t.Errorf("%v", outcome)
	}
	refused := mustertest.Run(t.Context(), price, map[string]string{"count": "many"})
	if failure := refused.Failure; failure.GetType() != "PayloadError" || !failure.NonRetryable {
		t.Errorf("%v", failure)
	}
	unwritable := mustertest.Run(t.Context(), func(context.Context, any) (any, error) { return func() {}, nil }, nil)
	if failure := unwritable.Failure; failure.GetType() != "PayloadError" || !failure.NonRetryable {
		t.Errorf("%v", failure)
	}
	if nothing := mustertest.Run(t.Context(), func(context.Context, any) (any, error) { return nil, nil }, nil); string(nothing.Payload.Data) != "null" {
		t.Errorf("nil is %v", nothing.Payload)
	}
	badType := mustertest.Run(t.Context(), func(context.Context, any) (*pb.Payload, error) { return muster.NewPayload(nil, "\xff"), nil }, nil)
	if badType.Failure.GetType() != "PayloadError" {
		t.Errorf("a result that protobuf refuses is %v", badType)
	}
}

func TestJobOfAHandler(t *testing.T) {
	options := mustertest.Options{
		JobID: "0198c0de-0000-7000-8000-000000000001", Attempt: 3, AttemptCount: 2, Namespace: "shop", Definition: "resize",
		DefinitionVersion: 4, RunTimeout: time.Minute, LastCheckpoint: order{"tea", 1},
		Traceparent: "00-0198c0de000070008000000000000001-5e93ed7055cca158-01", Tracestate: "a=b",
	}
	outcome := mustertest.RunWith(t.Context(), options, func(ctx context.Context, input string) (string, error) {
		job := muster.JobFrom(ctx)
		var left order
		found, err := job.LastCheckpoint(&left)
		if !found || err != nil || left.Article != "tea" {
			t.Errorf("the checkpoint is %v, %v, %v", left, found, err)
		}
		if job.ID() != options.JobID || job.IdempotencyKey() != options.JobID || job.Attempt() != 3 || job.FencingToken() != 3 ||
			job.AttemptCount() != 2 || job.Namespace() != "shop" || job.Definition() != "resize" || job.DefinitionVersion() != 4 ||
			job.RunTimeout() != time.Minute || job.Traceparent() != options.Traceparent || job.Tracestate() != "a=b" ||
			string(job.Input().Data) != `"x"` {
			t.Errorf("%+v", job)
		}
		return input, nil
	}, "x")
	if outcome.Result != "x" {
		t.Errorf("%v", outcome)
	}
	if muster.JobFrom(t.Context()) != nil {
		t.Error("there is a job outside of handlers")
	}
}

func TestProgressAsACountOfUnits(t *testing.T) {
	const most = 1<<53 - 1
	for _, c := range []struct {
		counts      muster.ProgressCounts
		fraction    float64
		done, total int64
	}{
		{muster.ProgressCounts{Done: 3, Total: 4, Unit: "rows"}, 0.75, 3, 4},
		{muster.ProgressCounts{Done: 9, Total: 4}, 1, 9, 4},
		{muster.ProgressCounts{Done: -1}, 0, 0, 0},
		{muster.ProgressCounts{Done: math.MaxInt64, Total: math.MaxInt64, Unit: strings.Repeat("ä", 32)}, 1, most, most},
	} {
		outcome := mustertest.Run(t.Context(), func(ctx context.Context, _ any) (any, error) {
			muster.JobFrom(ctx).ProgressCounts(c.counts, "copying")
			return nil, nil
		}, nil)
		said := outcome.Progress[0]
		if said.Fraction != c.fraction || said.GetDone() != c.done || said.GetTotal() != c.total ||
			(said.Total == nil) != (c.total == 0) || said.Unit != c.counts.Unit || said.Message != "copying" {
			t.Errorf("%v: %v", c.counts, said)
		}
	}
}

func TestWordsOfAHandler(t *testing.T) {
	var late *muster.Job
	outcome := mustertest.RunWith(t.Context(), mustertest.Options{MaxPayload: 10}, func(ctx context.Context, _ any) (any, error) {
		job := muster.JobFrom(ctx)
		late = job
		job.Progress(-1, "")
		job.Progress(2, strings.Repeat("ä", 300))
		job.Progress(math.NaN(), "a\xff")
		if err := job.Checkpoint(map[string]int{"a": 1}); err != nil {
			t.Error(err)
		}
		for _, wrong := range []any{nil, "longer than ten", func() {}} {
			var refused *muster.PayloadError
			if err := job.Checkpoint(wrong); !errors.As(err, &refused) {
				t.Errorf("%v: %v", wrong, err)
			}
		}
		for more, ok := range map[time.Duration]bool{0: false, -1: false, time.Minute: true, 30 * 24 * time.Hour: false, math.MaxInt64: false} {
			if err := job.ExtendRunTimeout(more); (err == nil) != ok {
				t.Errorf("%s more: %v", more, err)
			}
		}
		if found, err := job.LastCheckpoint(new(int)); found || err != nil {
			t.Errorf("there is a checkpoint: %v", err)
		}
		_, err := job.Submit(ctx, "child", nil)
		return nil, err
	}, nil)
	late.Progress(0.5, "late")
	late.Logger().Info("late")
	progress := outcome.Progress
	if len(progress) != 3 || progress[0].Fraction != 0 || progress[1].Fraction != 1 || progress[2].Fraction != 0 ||
		progress[1].Message != strings.Repeat("ä", 256) || progress[2].Message != "a\uFFFD" {
		t.Errorf("%v", progress)
	}
	if len(outcome.Checkpoints) != 1 || outcome.Extension != time.Minute || len(outcome.Logs) != 0 {
		t.Errorf("%v", outcome)
	}
	if outcome.Failure == nil {
		t.Error("a child was submitted without a worker")
	}
}

func TestLogOfAHandler(t *testing.T) {
	outcome := mustertest.Run(t.Context(), func(ctx context.Context, _ any) (any, error) {
		log := muster.JobFrom(ctx).Logger()
		log.With("a", 1).WithGroup("g").With("b", true).Debug("one", "c", "text", "err", errors.New("x"), slog.Group("in", "d", 1.5))
		log.Warn(strings.Repeat("ä", 5_000), "dropped", "x")
		log.Error("bad \xff", "json", json.RawMessage(`{"a":1}`), "for", 90*time.Second, "no", func() {}, "", nil)
		many := []any{}
		for i := range 40 {
			many = append(many, fmt.Sprint("k", i), i)
		}
		log.Log(ctx, slog.LevelInfo+1, "many", many...)
		log.Info("panics", "v", panics{})
		return nil, nil
	}, nil)
	logs := outcome.Logs
	want := map[string]string{"a": "1", "g.b": "true", "g.c": "text", "g.err": "x", "g.in.d": "1.5"}
	if first := logs[0]; first.Level != pb.LogLevel_LOG_LEVEL_DEBUG || fmt.Sprint(first.Fields) != fmt.Sprint(want) || first.Truncated {
		t.Errorf("%v", first)
	}
	if long := logs[1]; len(long.Message) != 8*1024 || !long.Truncated || len(long.Fields) != 0 {
		t.Errorf("%d bytes, %v", len(long.Message), long.Fields)
	}
	if bad := logs[2]; bad.Message != "bad \uFFFD" || bad.Fields["json"] != `{"a":1}` || bad.Fields["for"] != "1m30s" || bad.Fields["no"] == "" {
		t.Errorf("%v", bad)
	}
	if many := logs[3]; len(many.Fields) != 32 || !many.Truncated || many.Level != pb.LogLevel_LOG_LEVEL_INFO {
		t.Errorf("%v", many)
	}
	if logs[4].Fields["v"] == "" {
		t.Errorf("%v", logs[4])
	}
	for i, record := range logs {
		if record.Sequence != int64(i+1) || record.LogTime == nil {
			t.Errorf("%v", record)
		}
	}
}

type panics struct{}

func (panics) MarshalJSON() ([]byte, error) { panic("no") }

func TestHandlersHearWhyTheyStop(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	stop(&muster.Stopped{Reason: muster.StopCancelled})
	outcome := mustertest.Run(ctx, func(ctx context.Context, _ any) (any, error) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}, nil)
	if failure := outcome.Failure; failure.GetType() != "Stopped" || !strings.Contains(failure.Message, "cancelled") {
		t.Errorf("%v", failure)
	}
	if !errors.Is(&muster.Stopped{}, context.Canceled) {
		t.Error("a stop is no cancellation")
	}
}

func TestSuspension(t *testing.T) {
	outcome := mustertest.Run(t.Context(), func(context.Context, any) (any, error) {
		return nil, fmt.Errorf("not yet: %w", &muster.WaitsForChildren{ChildIDs: []string{"0198c0de-0000-7000-8000-000000000001"}})
	}, nil)
	if !outcome.Suspended || outcome.Failure != nil {
		t.Errorf("%v", outcome)
	}
}

func TestAHandlerSuspendsItsJobWithACheckpoint(t *testing.T) {
	for name, checkpoint := range map[string]any{"with one": map[string]int{"page": 7}, "with none": nil} {
		t.Run(name, func(t *testing.T) {
			outcome := mustertest.Run(t.Context(), func(ctx context.Context, _ any) (any, error) {
				return nil, fmt.Errorf("not now: %w", muster.JobFrom(ctx).Suspend(checkpoint))
			}, nil)
			if !outcome.Suspended || outcome.Failure != nil || (len(outcome.Checkpoints) == 1) != (checkpoint != nil) {
				t.Errorf("%v", outcome)
			}
		})
	}
	large := mustertest.RunWith(t.Context(), mustertest.Options{MaxPayload: 10}, func(ctx context.Context, _ any) (any, error) {
		return nil, muster.JobFrom(ctx).Suspend("a text of more than ten bytes")
	}, nil)
	if large.Suspended || large.Failure.GetType() != "PayloadError" {
		t.Errorf("%v", large)
	}
}
