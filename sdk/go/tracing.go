package muster

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"net"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/metadata"

	"github.com/muster-jobs/muster/sdk/go/internal/uuid"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// traceFields is a W3C trace context, which Muster expects whatever propagation format the program uses.
type traceFields struct {
	traceparent, tracestate string
}

// traceFieldsOf returns the trace context of the context's span; empty if there is none.
func traceFieldsOf(ctx context.Context) traceFields {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return traceFields{carrier["traceparent"], carrier["tracestate"]}
}

func tracer() trace.Tracer {
	return otel.Tracer(instrumentation, trace.WithInstrumentationVersion(sdkVersion))
}

// startProcessSpan starts a handler's span: a child of the control plane's span of the attempt, linked to the previous
// attempt. If the program has set up no tracing, the returned context only carries the assignment's trace context.
func startProcessSpan(ctx context.Context, assignment *workerpb.Assignment) (context.Context, trace.Span) {
	carrier := propagation.MapCarrier{"traceparent": assignment.Traceparent, "tracestate": assignment.Tracestate}
	around := propagation.TraceContext{}.Extract(trace.ContextWithSpan(ctx, nil), carrier)
	attributes := append(messagingAttributes(assignment.Namespace, assignment.Definition),
		attribute.String("messaging.message.id", uuid.Text(assignment.JobId)),
		attribute.Int("muster.definition_version", int(assignment.DefinitionVersion)),
		attribute.Int("muster.attempt.number", int(assignment.Attempt)),
		attribute.String("messaging.operation.name", "process"),
		attribute.String("messaging.operation.type", "process"),
	)
	return tracer().Start(around, "process "+assignment.Definition,
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attributes...),
		trace.WithLinks(linksOf(assignment, trace.SpanContextFromContext(around))...),
	)
}

// linksOf returns no links if the control plane sends no spans, because the link's target would not exist.
func linksOf(assignment *workerpb.Assignment, parent trace.SpanContext) []trace.Link {
	if assignment.Attempt < 2 || parent.SpanID() != attemptSpanID(assignment.JobId, assignment.Attempt) {
		return nil
	}
	before := parent.WithSpanID(attemptSpanID(assignment.JobId, assignment.Attempt-1))
	return []trace.Link{{SpanContext: before, Attributes: []attribute.KeyValue{attribute.String("muster.link.kind", "retry_of")}}}
}

// attemptSpanID is the id of the control plane's span of an attempt: 64-bit FNV-1a of the job's id, the attempt's
// number as 4 big-endian bytes, and the word "attempt".
func attemptSpanID(jobID []byte, attempt int32) (id trace.SpanID) {
	hash := fnv.New64a()
	hash.Write(jobID)
	hash.Write(binary.BigEndian.AppendUint32(nil, uint32(attempt)))
	hash.Write([]byte("attempt"))
	hash.Sum(id[:0])
	return id
}

func endProcessSpan(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
		span.SetAttributes(attribute.String("error.type", typeOf(err)))
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

// destination is the server and namespace that jobs are submitted to.
type destination struct {
	address, namespace string
}

// inSubmitSpan calls submit in a span and sends the span's trace context with the call. submit returns the ids of the
// jobs.
func inSubmitSpan(ctx context.Context, to destination, definitions []string, submit func(context.Context) ([]string, error)) error {
	definition, name := "", "submit"
	if same := sameName(definitions); same != "" {
		definition, name = same, "submit "+same
	}
	attributes := append(messagingAttributes(to.namespace, definition), serverAttributes(to.address)...)
	attributes = append(attributes,
		attribute.String("messaging.operation.name", "submit"),
		attribute.String("messaging.operation.type", "send"),
	)
	if len(definitions) != 1 {
		attributes = append(attributes, attribute.Int("messaging.batch.message_count", len(definitions)))
	}
	ctx, span := tracer().Start(ctx, name, trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(attributes...))
	defer span.End()
	ids, err := submit(withTraceMetadata(ctx))
	if err != nil {
		span.SetAttributes(attribute.String("error.type", callErrorType(err)))
		span.SetStatus(codes.Error, err.Error())
	} else if len(ids) == 1 {
		span.SetAttributes(attribute.String("messaging.message.id", ids[0]))
	}
	return err
}

func withTraceMetadata(ctx context.Context) context.Context {
	fields := traceFieldsOf(ctx)
	if fields.traceparent == "" {
		return ctx
	}
	ctx = metadata.AppendToOutgoingContext(ctx, "traceparent", fields.traceparent)
	if fields.tracestate != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "tracestate", fields.tracestate)
	}
	return ctx
}

// messagingAttributes takes the definition as destination; empty if the jobs have different ones.
func messagingAttributes(namespace, destination string) []attribute.KeyValue {
	attributes := []attribute.KeyValue{
		attribute.String("messaging.system", "muster"),
		attribute.String("muster.namespace", orElse(namespace, "default")),
	}
	if destination == "" {
		return attributes
	}
	return append(attributes,
		attribute.String("messaging.destination.name", destination),
		attribute.String("muster.definition", destination),
	)
}

// serverAttributes returns host and port of a gRPC target such as dns:///muster:7070.
func serverAttributes(address string) []attribute.KeyValue {
	host, text, err := net.SplitHostPort(address[strings.LastIndex(address, "/")+1:])
	if err != nil {
		return []attribute.KeyValue{attribute.String("server.address", address)}
	}
	attributes := []attribute.KeyValue{attribute.String("server.address", host)}
	if port, err := strconv.Atoi(text); err == nil {
		attributes = append(attributes, attribute.Int("server.port", port))
	}
	return attributes
}

// sameName returns the name if all are equal, else "". Span names must have few distinct values, so a span of several
// definitions is not named after one.
func sameName(names []string) string {
	for _, name := range names {
		if name != names[0] {
			return ""
		}
	}
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

func callErrorType(err error) string {
	var failed *Error
	if !errors.As(err, &failed) {
		return typeOf(err)
	}
	return code.Code(failed.Code).String()
}
