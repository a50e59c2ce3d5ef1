/** Ports to the outside. The simulator replaces each of these, under virtual time. */

import type { Payload } from '../../domain/base/payload.ts';
import type { PayloadSchema } from '../../domain/definitions/definition.ts';
import type { JobSpan } from '../../domain/events/job-spans.ts';
import type { Sampling } from '../../domain/events/trace.ts';
import type { Evaluation, EvaluationAnswer } from '../../domain/workflows/expressions/evaluation.ts';
import type { Assignment, CancelNotice, Hint, SuspendNotice } from '../base/messages.ts';
import type { EventBatch, PublishedEvent } from './events.ts';

/** Monotonic time of this process, unrelated to the time of day. */
export interface Clock {
  /** Milliseconds, with fractions, from an arbitrary start. */
  now(): number;
}

export interface Timer {
  /** No effect after it has fired. */
  cancel(): void;
}

export interface Timers {
  /** Runs once after `ms` milliseconds. */
  after(ms: number, run: () => void): Timer;
}

export interface Random {
  /** Uniform from 0 up to, but not including, 1. */
  next(): number;
  /** Sixteen random bytes. */
  bytes16(): Uint8Array;
}

export interface Log {
  info(facts: Record<string, unknown>, message: string): void;
  warn(facts: Record<string, unknown>, message: string): void;
  error(facts: Record<string, unknown>, message: string): void;
}

/** An answered call, on either port. */
export interface MeasuredCall {
  /** `connectrpc`: every call on the HTTP port. */
  readonly system: 'grpc' | 'connectrpc';
  /** Such as `muster.v1.JobService/GetJob`. */
  readonly method: string;
  /** Name of the answer's gRPC code. */
  readonly code: string;
}

/** Notified of each call when it has ended. */
export interface CallMeter {
  ended(call: MeasuredCall, seconds: number): void;
}

/** Receives the spans of the control plane. */
export interface SpanExporter {
  /** Resolves once they are accepted or given up, in bounded time; never rejects. */
  export(spans: readonly JobSpan[]): Promise<void>;
}

/** Present if the control plane sends spans. */
export interface Tracing {
  readonly sampling: Sampling;
  readonly exporter: SpanExporter;
}

/** A payload and its schema. */
export interface SchemaCheck {
  readonly schema: PayloadSchema;
  readonly payload: Payload;
}

/** A problem, in words that follow the name of the field. */
export interface SchemaProblem {
  /** The part of a protobuf schema at fault; empty: the schema or the payload itself. */
  readonly part: '' | 'file_descriptor_set' | 'message_type';
  readonly message: string;
}

/**
 * Validates payloads in bounded time and memory, whatever the payloads and their schemas. Rejects with OVERLOADED when
 * too much is queued, or when one call takes too long.
 */
export interface Schemas {
  /** Why the schema can't be used; undefined: it can. */
  compile(schema: PayloadSchema): Promise<SchemaProblem | undefined>;
  /** The problem of each payload; undefined: it is valid. */
  validate(checks: readonly SchemaCheck[]): Promise<readonly (string | undefined)[]>;
}

/**
 * Evaluates expressions of workflows without holding up anything else. What can't be evaluated, although its cost is
 * bounded, has a problem as its result. Rejects with SHUTTING_DOWN.
 */
export interface Expressions {
  evaluate(evaluation: Evaluation): Promise<EvaluationAnswer>;
}

/** Access to the bus for one session. */
export interface SessionAccess {
  readonly natsUrls: readonly string[];
  readonly subject: string;
  readonly credentials: SessionCredentials;
}

export interface SessionCredentials {
  /** Empty when the bus requires none. */
  readonly jwt: string;
  /** A secret: never logged. */
  readonly seed: string;
  /** Milliseconds since 1970 on this machine's wall clock; 0: they do not expire. */
  readonly expireTimeMs: number;
}

/** Events that were stored together in the stream. */
export interface EventPage {
  /** Increases within the stream; the next read continues after it. */
  readonly position: number;
  readonly events: readonly PublishedEvent[];
}

/** A range of the stream to read. */
export interface EventRange {
  readonly namespace: string;
  /** Only events after this position; 0: from the oldest kept event; undefined: new events only. */
  readonly after: number | undefined;
  /** Ends after the newest kept event instead of waiting for more. */
  readonly keptOnly: boolean;
}

/**
 * The bus's stream of events: bounded, and readable by any client with access. Every method rejects with
 * EVENTS_UNAVAILABLE.
 */
export interface EventStream {
  /** The bus does not support streams, as of the last use. */
  readonly isAbsent: boolean;
  /** Resolves once the stream exists. */
  prepare(): Promise<void>;
  /** Resolves once the batch is stored. A repeat within two minutes is not stored again. */
  publish(batch: EventBatch): Promise<void>;
  /** Pages to the end of the range, which may be empty, or until `gone` is aborted. Also throws EVENT_POSITION_GONE. */
  read(range: EventRange, gone: AbortSignal): AsyncIterable<EventPage>;
}

/** Carries hints only: a lost, repeated, late or reordered message costs at most some latency. */
export interface Bus {
  readonly events: EventStream;
  /** Max size of a payload (input, result, checkpoint): min(512 KiB, half of max_payload - 8 KiB), in bytes. */
  readonly maxUserPayload: number;
  /** Publishes assignments to one session in as few messages as `max_payload` - 8 KiB allows. Never throws. */
  assign(sessionId: string, assignments: readonly Assignment[]): void;
  cancel(sessionId: string, notices: readonly CancelNotice[]): void;
  suspend(sessionId: string, notices: readonly SuspendNotice[]): void;
  ping(sessionId: string, counter: number): void;
  /** Notifies the other replicas, not this replica's own listener. */
  announce(hint: Hint): void;
  onHint(listener: (hint: Hint) => void): void;
  /** Whether this replica's own loopback ping came back within the last two of its rounds. */
  isUp(): boolean;
  /** Subject and fresh credentials for a session. */
  grantAccess(sessionId: string): SessionAccess;
}
