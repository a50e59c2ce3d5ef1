package main

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/muster-jobs/muster/sdk/go"
	"github.com/muster-jobs/muster/sdk/go/mustertest"
)

// scripted runs the script of a JSON text.
func scripted(ctx context.Context, steps string) mustertest.Outcome[any] {
	options := mustertest.Options{JobID: "0198c0de-0000-7000-8000-000000000001", Attempt: 2, AttemptCount: 1, Definition: "d", LastCheckpoint: 5}
	return mustertest.RunWith(ctx, options, runScript, json.RawMessage(`{"steps":`+steps+`}`))
}

func TestScriptsThatReturn(t *testing.T) {
	for steps, want := range map[string]string{
		`[]`: `null`,
		`[{"do":"return","value":{"a":[1,null]}},{"do":"raise","message":"not reached"}]`: `{"a":[1,null]}`,
		`[{"do":"return"}]`:                `null`,
		`[{"do":"return_bytes","size":3}]`: "\x00\x00\x00",
		`[{"do":"return_children"}]`:       `[]`,
		`[{"do":"return_context"}]`:        `{"job_id":"0198c0de-0000-7000-8000-000000000001","attempt":2,"attempt_count":1,"definition":"d","checkpoint":5,"traceparent":""}`,
		`[{"do":"sleep","ms":1},{"do":"deaf_sleep","ms":1},{"do":"return","value":1}]`: `1`,
	} {
		outcome := scripted(t.Context(), steps)
		if string(outcome.Payload.GetData()) != want {
			t.Errorf("%s: %v, %v", steps, outcome.Payload, outcome.Failure)
		}
	}
}

func TestScriptsThatFail(t *testing.T) {
	for steps, want := range map[string]string{
		`[{"do":"fail","type":"T","message":"m"}]`:              "T: m",
		`[{"do":"raise","message":"m"}]`:                        "error: m",
		`[{"do":"panic","message":"m"}]`:                        "panic: m",
		`[{"do":"fly"}]`:                                        `error: no step does "fly"`,
		`[{"do":"extend","ms":0}]`:                              "error: a run timeout can't be extended by 0s",
		`[{"do":"child","definition":"d","input":1,"key":"k"}]`: "error: a handler that is run without a worker has no children",
	} {
		outcome := scripted(t.Context(), steps)
		if got := outcome.Failure.GetType() + ": " + outcome.Failure.GetMessage(); got != want {
			t.Errorf("%s: %s", steps, got)
		}
	}
	failure := scripted(t.Context(), `[{"do":"fail","type":"T","message":"m","non_retryable":true,"retry_delay_ms":0}]`).Failure
	if !failure.NonRetryable || failure.RetryDelay == nil || failure.RetryDelay.AsDuration() != 0 {
		t.Errorf("%v", failure)
	}
}

func TestScriptsThatSpeak(t *testing.T) {
	outcome := scripted(t.Context(), `[{"do":"progress","fraction":0.5,"message":"half"},{"do":"checkpoint","value":[1]},{"do":"log","message":"l"},{"do":"extend","ms":1500}]`)
	if outcome.Progress[0].Message != "half" || string(outcome.Checkpoints[0].Data) != "[1]" || outcome.Logs[0].Message != "l" || outcome.Extension.Milliseconds() != 1500 {
		t.Errorf("%v", outcome)
	}
}

func TestScriptsThatAreStopped(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	stop(&muster.Stopped{Reason: muster.StopCancelled})
	for steps, want := range map[string]string{
		`[{"do":"sleep","ms":60000}]`:                                    "Stopped",
		`[{"do":"until_stopped"}]`:                                       "Stopped",
		`[{"do":"until_stopped","then":[{"do":"raise","message":"m"}]}]`: "error",
		`[{"do":"until_stopped","then":[]},{"do":"deaf_sleep","ms":1}]`:  "",
	} {
		if outcome := scripted(ctx, steps); outcome.Failure.GetType() != want {
			t.Errorf("%s: %v", steps, outcome.Failure)
		}
	}
}
