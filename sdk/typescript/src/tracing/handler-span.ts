/** The span of a running handler: a child of the control plane's attempt span, linked to the previous attempt. */
import type { Attributes, Context, Link, Span, SpanContext } from '@opentelemetry/api';
import { context, createTraceState, diag, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { uuidText } from '../uuid.ts';
import { textOf } from '../worker/failure.ts';
import type { StartedAttempt } from '../worker/thread/starts.ts';
import { attemptSpanId } from './attempt-span-id.ts';
import { activeTracer, messagingAttributes, type TraceFields, traceFields } from './tracer.ts';

export class HandlerSpan {
  readonly #span: Span;
  readonly #context: Context;

  /** `undefined` if the application has set up no tracing, or its tracing fails. */
  static start(attempt: StartedAttempt): HandlerSpan | undefined {
    return quietly(() => HandlerSpan.#start(attempt));
  }

  static #start(attempt: StartedAttempt): HandlerSpan | undefined {
    const tracer = activeTracer();
    if (tracer === undefined) return undefined;
    const around = attemptContext(attempt);
    const links = linksOf(attempt, trace.getSpanContext(around));
    const attributes = {
      ...attemptAttributes(attempt),
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
    };
    const options = { kind: SpanKind.CONSUMER, attributes, links };
    return new HandlerSpan(tracer.startSpan(`process ${attempt.definition}`, options, around), around);
  }

  private constructor(span: Span, around: Context) {
    this.#span = span;
    this.#context = trace.setSpan(around, span);
  }

  /** The context with the span. */
  get context(): Context {
    return this.#context;
  }

  /** Trace context for the handler's calls. `undefined`: the span has none. */
  get fields(): TraceFields | undefined {
    return traceFields(this.#span.spanContext());
  }

  /** Calls `handler` with the span active, also after an `await`. */
  run<T>(handler: () => T): T {
    return context.with(this.#context, handler);
  }

  succeed(): void {
    quietly(() => this.#span.end());
  }

  /** Records any thrown value. */
  fail(error: unknown): void {
    quietly(() => {
      const known = error instanceof Error;
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: textOf(known ? error.message : error) });
      this.#span.setAttribute('error.type', known ? textOf(error.name) : '_OTHER');
      this.#span.recordException(known ? error : textOf(error));
    });
    this.succeed();
  }
}

/** A failure of tracing must not keep an attempt from ending. */
function quietly<T>(report: () => T): T | undefined {
  try {
    return report();
  } catch (error) {
    diag.error('muster: the span of a handler failed', error);
    return undefined;
  }
}

/** The context of the assignment's trace, if it has one. */
export function attemptContext(attempt: StartedAttempt): Context {
  const parent = parentOf(attempt);
  return parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;

function parentOf({ traceparent, tracestate }: StartedAttempt): SpanContext | undefined {
  const [, traceId, spanId, flags = ''] = TRACEPARENT.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  const traceFlags = Number.parseInt(flags, 16);
  const state = tracestate === '' ? {} : { traceState: createTraceState(tracestate) };
  return { traceId, spanId, traceFlags, isRemote: true, ...state };
}

/** No links if the control plane sends no spans: their target would not exist. */
function linksOf({ jobId, attempt }: StartedAttempt, parent: SpanContext | undefined): Link[] {
  if (parent === undefined || attempt < 2 || parent.spanId !== attemptSpanId(jobId, attempt)) return [];
  const before = { ...parent, spanId: attemptSpanId(jobId, attempt - 1) };
  return [{ context: before, attributes: { 'muster.link.kind': 'retry_of' } }];
}

/** Attributes that spans and log records of an attempt share. */
export function attemptAttributes({
  jobId,
  attempt,
  namespace,
  definition,
  definitionVersion,
}: StartedAttempt): Attributes {
  return {
    ...messagingAttributes(namespace, definition),
    'messaging.message.id': uuidText(jobId),
    'muster.definition_version': definitionVersion,
    'muster.attempt.number': attempt,
  };
}
