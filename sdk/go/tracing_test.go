package muster_test

import (
	"context"
	"encoding/hex"
	"errors"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/muster-jobs/muster/sdk/go"
	"github.com/muster-jobs/muster/sdk/go/mustertest"
)

// spanRecorder is a program's tracing: it records the spans.
type spanRecorder struct {
	embedded.TracerProvider
	spans []*recordedSpan
}

type recordingTracer struct {
	embedded.Tracer
	recorder *spanRecorder
}

type recordedSpan struct {
	noop.Span
	name    string
	config  trace.SpanConfig
	parent  trace.SpanContext
	context trace.SpanContext
	attrs   map[attribute.Key]string
	status  codes.Code
	errors  []error
	ended   int
}

// recordSpans sets up tracing until the test ends.
func recordSpans(t *testing.T) *spanRecorder {
	before := otel.GetTracerProvider()
	recorder := &spanRecorder{}
	otel.SetTracerProvider(recorder)
	t.Cleanup(func() { otel.SetTracerProvider(before) })
	return recorder
}

func (r *spanRecorder) Tracer(string, ...trace.TracerOption) trace.Tracer {
	return recordingTracer{recorder: r}
}

func (t recordingTracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	return t.recorder.Start(ctx, name, options...)
}

func (r *spanRecorder) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	parent := trace.SpanContextFromContext(ctx)
	config := trace.SpanContextConfig{TraceID: parent.TraceID(), SpanID: trace.SpanID{byte(len(r.spans) + 1)}, TraceFlags: trace.FlagsSampled}
	if !parent.IsValid() {
		config.TraceID = trace.TraceID{1}
	}
	span := &recordedSpan{name: name, config: trace.NewSpanStartConfig(options...), parent: parent, context: trace.NewSpanContext(config), attrs: map[attribute.Key]string{}}
	span.SetAttributes(span.config.Attributes()...)
	r.spans = append(r.spans, span)
	return trace.ContextWithSpan(ctx, span), span
}

func (s *recordedSpan) SpanContext() trace.SpanContext { return s.context }
func (s *recordedSpan) SetAttributes(attrs ...attribute.KeyValue) {
	for _, attr := range attrs {
		s.attrs[attr.Key] = attr.Value.String()
	}
}
func (s *recordedSpan) SetStatus(code codes.Code, _ string) { s.status = code }
func (s *recordedSpan) RecordError(err error, _ ...trace.EventOption) {
	s.errors = append(s.errors, err)
}
func (s *recordedSpan) End(...trace.SpanEndOption) { s.ended++ }

func (s *recordedSpan) want(t *testing.T, attrs map[attribute.Key]string) {
	t.Helper()
	for key, value := range attrs {
		if s.attrs[key] != value {
			t.Errorf("%s: %s is %q, not %q", s.name, key, s.attrs[key], value)
		}
	}
	if s.ended != 1 {
		t.Errorf("%s was ended %d times", s.name, s.ended)
	}
}

func TestSpanOfASubmission(t *testing.T) {
	recorder := recordSpans(t)
	fake, client := startFakeServer(t)
	ctx, _ := recorder.Start(t.Context(), "upload")
	if _, err := client.Submit(ctx, "resize", nil); err != nil {
		t.Fatal(err)
	}
	span := recorder.spans[1]
	if span.name != "submit resize" || span.config.SpanKind() != trace.SpanKindProducer || span.parent.SpanID() != recorder.spans[0].context.SpanID() {
		t.Errorf("%+v", span)
	}
	span.want(t, map[attribute.Key]string{
		"messaging.system": "muster", "muster.namespace": "shop", "messaging.destination.name": "resize", "muster.definition": "resize",
		"messaging.operation.name": "submit", "messaging.operation.type": "send", "messaging.message.id": "j", "server.address": "127.0.0.1",
	})
	if got := fake.metadata[0].Get("traceparent"); len(got) != 1 || got[0] != "00-01000000000000000000000000000000-0200000000000000-01" {
		t.Errorf("traceparent %v", got)
	}
	if _, err := client.SubmitMany(ctx, []muster.JobRequest{{Definition: "a"}, {Definition: "b"}}); err != nil {
		t.Fatal(err)
	}
	many := recorder.spans[2]
	many.want(t, map[attribute.Key]string{"messaging.batch.message_count": "2", "messaging.message.id": "", "muster.definition": ""})
	if many.name != "submit" {
		t.Error(many.name)
	}
}

func TestSpanOfASubmissionThatFails(t *testing.T) {
	recorder := recordSpans(t)
	fake, client := startFakeServer(t)
	fake.failures = []error{failure(5, "DEFINITION_NOT_FOUND")}
	if _, err := client.Submit(t.Context(), "resize", nil); err == nil {
		t.Fatal("it was accepted")
	}
	recorder.spans[0].want(t, map[attribute.Key]string{"error.type": "NOT_FOUND"})
	if recorder.spans[0].status != codes.Error {
		t.Error("the span has no error")
	}
}

const tracedJob = "0198c0de-0000-7000-8000-000000000001"

func TestSpanOfAHandler(t *testing.T) {
	recorder := recordSpans(t)
	// The span ids of the control plane, as in docs/traces.md.
	options := mustertest.Options{JobID: tracedJob, Definition: "resize", Traceparent: "00-0198c0de000070008000000000000001-6b5fbd87c6ef150b-01"}
	outside, _ := recorder.Start(t.Context(), "the program's own")
	outcome := mustertest.RunWith(outside, options, func(ctx context.Context, _ any) (string, error) {
		if trace.SpanFromContext(ctx) != recorder.spans[1] {
			t.Error("the span is not active in the handler")
		}
		return muster.JobFrom(ctx).Traceparent(), nil
	}, nil)
	span := recorder.spans[1]
	if span.name != "process resize" || span.config.SpanKind() != trace.SpanKindConsumer || hex.EncodeToString(idOf(span.parent)) != "6b5fbd87c6ef150b" || len(span.config.Links()) != 0 {
		t.Errorf("%+v", span)
	}
	span.want(t, map[attribute.Key]string{
		"messaging.system": "muster", "muster.namespace": "default", "messaging.destination.name": "resize",
		"messaging.message.id": tracedJob, "muster.definition_version": "1", "muster.attempt.number": "1", "messaging.operation.name": "process",
	})
	if outcome.Result != "00-0198c0de000070008000000000000001-0200000000000000-01" {
		t.Errorf("the handler's traceparent is %s", outcome.Result)
	}
}

func idOf(context trace.SpanContext) []byte {
	id := context.SpanID()
	return id[:]
}

func TestSpanOfALaterAttempt(t *testing.T) {
	recorder := recordSpans(t)
	options := mustertest.Options{JobID: tracedJob, Attempt: 2147483647, Traceparent: "00-0198c0de000070008000000000000001-765abc181920de96-01"}
	mustertest.RunWith(t.Context(), options, func(context.Context, any) (any, error) { return nil, errors.New("no") }, nil)
	span := recorder.spans[0]
	if links := span.config.Links(); len(links) != 1 || links[0].Attributes[0].Value.AsString() != "retry_of" || links[0].SpanContext.TraceID() != span.parent.TraceID() {
		t.Errorf("linked to %v", links)
	}
	span.want(t, map[attribute.Key]string{"error.type": "error"})
	if span.status != codes.Error || len(span.errors) != 1 {
		t.Errorf("%+v", span)
	}
	// When the control plane sends no spans, the parent is the caller's, and there is no link.
	options.Traceparent = "00-0198c0de000070008000000000000001-00f067aa0ba902b7-01"
	mustertest.RunWith(t.Context(), options, func(context.Context, any) (any, error) { return nil, nil }, nil)
	if links := recorder.spans[1].config.Links(); len(links) != 0 {
		t.Errorf("linked to %v", links)
	}
}

func TestASuspensionIsNoErrorOfASpan(t *testing.T) {
	recorder := recordSpans(t)
	mustertest.Run(t.Context(), func(context.Context, any) (any, error) {
		return nil, &muster.WaitsForChildren{ChildIDs: []string{tracedJob}}
	}, nil)
	if span := recorder.spans[0]; span.status == codes.Error || span.ended != 1 {
		t.Errorf("%+v", span)
	}
}
