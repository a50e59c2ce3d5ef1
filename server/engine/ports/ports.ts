/** What the engine needs of the outside. The simulator stands in for each of these under virtual time. */

import type { Payload } from '../../domain/base/payload.ts';
import type { PayloadSchema } from '../../domain/definitions/definition.ts';
import type { JobSpan } from '../../domain/events/job-spans.ts';
import type { Sampling } from '../../domain/events/trace.ts';
import type { Assignment, CancelNotice, Hint } from '../base/messages.ts';
import type { EventBatch, PublishedEvent } from './events.ts';

/** Monotonic time of this process; says nothing about the time of day. */
export interface Clock {
  /** Milliseconds, with fractions, from an arbitrary start. */
  now(): number;
}

export interface Timer {
  /** Harmless after it has fired. */
  cancel(): void;
}

export interface Timers {
  /** Runs once after `ms` milliseconds. */
  after(ms: number, run: () => void): Timer;
}

export interface Random {
  /** Evenly from 0 up to, not including, 1. */
  next(): number;
  /** Sixteen random bytes. */
  bytes16(): Uint8Array;
}

export interface Log {
  info(facts: Record<string, unknown>, message: string): void;
  warn(facts: Record<string, unknown>, message: string): void;
  error(facts: Record<string, unknown>, message: string): void;
}

/** A call that has been answered, on either port. */
export interface MeasuredCall {
  /** `connectrpc`: all that came over the HTTP port. */
  readonly system: 'grpc' | 'connectrpc';
  /** Such as `muster.v1.JobService/GetJob`. */
  readonly method: string;
  /** Name of the gRPC code that it was answered with. */
  readonly code: string;
}

/** Told of each call once it has ended. */
export interface CallMeter {
  ended(call: MeasuredCall, seconds: number): void;
}

/** Where the spans of the control plane go. */
export interface SpanExporter {
  /** Resolves once they are taken, or given up: in bounded time, and never rejects. */
  export(spans: readonly JobSpan[]): Promise<void>;
}

/** Of a control plane that sends spans. */
export interface Tracing {
  readonly sampling: Sampling;
  readonly exporter: SpanExporter;
}

/** A payload and what it must be. */
export interface SchemaCheck {
  readonly schema: PayloadSchema;
  readonly payload: Payload;
}

/** What is wrong, in words that follow the name of the field. */
export interface SchemaProblem {
  /** The part of a protobuf schema that is to blame; empty: the schema, or the payload. */
  readonly part: '' | 'file_descriptor_set' | 'message_type';
  readonly message: string;
}

/**
 * Checks payloads, in bounded time and memory whatever they and their schemas are. Rejects with OVERLOADED when too much
 * waits, or when one call takes too long.
 */
export interface Schemas {
  /** What keeps the schema from being used; undefined: nothing. */
  compile(schema: PayloadSchema): Promise<SchemaProblem | undefined>;
  /** What is wrong with each payload, undefined where nothing is. */
  validate(checks: readonly SchemaCheck[]): Promise<readonly (string | undefined)[]>;
}

/** Access to the bus for one session. */
export interface SessionAccess {
  readonly natsUrls: readonly string[];
  readonly subject: string;
  readonly credentials: SessionCredentials;
}

export interface SessionCredentials {
  /** Empty when the bus asks for none. */
  readonly jwt: string;
  /** A secret: never logged. */
  readonly seed: string;
  /** Milliseconds since 1970 on this machine's wall clock; 0 when they do not end. */
  readonly expireTimeMs: number;
}

/** Events that the stream stored together. */
export interface EventPage {
  /** Rises within the stream; reading goes on after it. */
  readonly position: number;
  readonly events: readonly PublishedEvent[];
}

/** What is read of the stream. */
export interface EventRange {
  readonly namespace: string;
  /** Only what came after this position; 0: from the oldest event that is kept; undefined: those to come. */
  readonly after: number | undefined;
  /** Ends after the newest that is kept, in place of waiting for more. */
  readonly keptOnly: boolean;
}

/** The stream of events: bounded, kept by the bus, read by whoever may. All of it rejects with EVENTS_UNAVAILABLE. */
export interface EventStream {
  /** There can be no stream: the bus is not made for it. As of the last use. */
  readonly isAbsent: boolean;
  /** Resolves once there is a stream to publish to. */
  prepare(): Promise<void>;
  /** Resolves once the batch is stored. Published again within two minutes it is not stored again. */
  publish(batch: EventBatch): Promise<void>;
  /** Pages to the end of the range, which is an empty one, or until `gone` is aborted. Throws EVENT_POSITION_GONE, too. */
  read(range: EventRange, gone: AbortSignal): AsyncIterable<EventPage>;
}

/** Carries hints only: losing, doubling, delaying or reordering any of them costs at most some latency. */
export interface Bus {
  readonly events: EventStream;
  /** Largest payload (input, result, checkpoint) that fits: min(512 KiB, half of max_payload - 8 KiB), in bytes. */
  readonly maxUserPayload: number;
  /** Publishes assignments to one session in as few messages as `max_payload` - 8 KiB allows. Never throws. */
  assign(sessionId: string, assignments: readonly Assignment[]): void;
  cancel(sessionId: string, notices: readonly CancelNotice[]): void;
  ping(sessionId: string, counter: number): void;
  /** Tells the other replicas; the own listener does not hear it. */
  announce(hint: Hint): void;
  onHint(listener: (hint: Hint) => void): void;
  /** Whether this replica's own loopback ping came back within the last two of its rounds. */
  isUp(): boolean;
  /** Subject and fresh credentials for a session. */
  grantAccess(sessionId: string): SessionAccess;
}
