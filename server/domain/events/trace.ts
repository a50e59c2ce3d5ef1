/**
 * Ids of a job's trace. They are derived from what is stored with the job, so that all replicas, also after a restart,
 * and all readers of the job name the same spans.
 */
import { writeUuid } from '../base/uuid.ts';

/** A W3C trace context. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** The control plane's spans: the whole job, a wait for a worker, an attempt. */
export type TracePhase = 'job' | 'wait' | 'attempt';

/** Which traces are kept. */
export interface Sampling {
  /** The sampling flag of the caller's trace context applies, if there is one. */
  readonly followsCaller: boolean;
  /** Share of the other traces that is kept, from 0 to 1. */
  readonly ratio: number;
}

/** What the ids of a job's spans are derived from. */
export interface TraceOrigin {
  readonly jobId: string;
  /** As stored with the job; empty: none. */
  readonly traceparent: string;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Undefined where W3C requires to ignore the header: malformed, version ff, or an all-zero id. */
export function parseTraceparent(text: string): TraceContext | undefined {
  const [, version = 'ff', traceId = '', spanId = '', flags = '', more] = form.exec(text) ?? [];
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0*$/.test(traceId) || /^0*$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function traceparentOf({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** The caller's trace id, or the job's id without its dashes. */
export function traceIdOf({ jobId, traceparent }: TraceOrigin): string {
  return parseTraceparent(traceparent)?.traceId ?? jobId.replaceAll('-', '');
}

/**
 * Id of one of the control plane's spans: 64-bit FNV-1a over the job id's 16 bytes, the attempt as 4 bytes in
 * big-endian order, and the phase's name. `attempt` is 0 for the phase `job`.
 *
 * @throws RangeError if the job's id is not a UUID.
 */
export function spanIdOf(jobId: string, attempt: number, phase: TracePhase): string {
  const bytes = new Uint8Array(20 + phase.length);
  writeUuid(jobId, bytes, 0);
  for (let at = 0; at < 4; at++) bytes[16 + at] = attempt >>> (24 - 8 * at);
  for (let at = 0; at < phase.length; at++) bytes[20 + at] = phase.charCodeAt(at);
  return fnv1a64(bytes);
}

/** In two halves of 32 bits, so that every product stays below 2^53. The prime is 2^40 + 0x1b3. */
function fnv1a64(bytes: Uint8Array): string {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const byte of bytes) {
    low = (low ^ byte) >>> 0;
    const product = low * 0x1b3;
    high = (high * 0x1b3 + Math.floor(product / 2 ** 32) + low * 2 ** 8) % 2 ** 32;
    low = product % 2 ** 32;
  }
  return hex32(high) + hex32(low);
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, '0');
}

/** Whether the job's spans are kept. Every replica decides the same, and nothing is stored. */
export function isSampled(origin: TraceOrigin, { followsCaller, ratio }: Sampling): boolean {
  const caller = parseTraceparent(origin.traceparent);
  if (caller && followsCaller) return caller.sampled;
  // The last digits of an id are random, in our ids and in W3C's.
  return Number.parseInt(traceIdOf(origin).slice(-13), 16) / 16 ** 13 >= 1 - ratio;
}

/** The trace context of one of the job's spans, to be the parent of work within it. */
export function spanContext(origin: TraceOrigin, attempt: number, phase: TracePhase, sampling: Sampling): TraceContext {
  return {
    traceId: traceIdOf(origin),
    spanId: spanIdOf(origin.jobId, attempt, phase),
    sampled: isSampled(origin, sampling),
  };
}
