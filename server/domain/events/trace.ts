/**
 * Ids of a job's trace. They follow from what is stored with the job, so that every replica, a restarted one, and whoever
 * reads the job name the same spans.
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

/** The spans of the control plane: all of a job, a wait for a worker, a try. */
export type TracePhase = 'job' | 'wait' | 'attempt';

/** Which traces are kept. */
export interface Sampling {
  /** What the caller's trace context says holds, where there is one. */
  readonly followsCaller: boolean;
  /** Share of the other traces that are kept, from 0 to 1. */
  readonly ratio: number;
}

/** Of a job: what its spans follow from. */
export interface TraceOrigin {
  readonly jobId: string;
  /** As stored with the job; empty: none. */
  readonly traceparent: string;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Undefined where W3C asks to go on as if there were none: malformed, of the version ff, or with an id of zeros. */
export function parseTraceparent(text: string): TraceContext | undefined {
  const [, version = 'ff', traceId = '', spanId = '', flags = '', more] = form.exec(text) ?? [];
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0*$/.test(traceId) || /^0*$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function traceparentOf({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** The caller's, or else the job's id without its dashes. */
export function traceIdOf({ jobId, traceparent }: TraceOrigin): string {
  return parseTraceparent(traceparent)?.traceId ?? jobId.replaceAll('-', '');
}

/**
 * The id of one of the control plane's spans: FNV-1a, 64 bits wide, of the job id's 16 bytes, the attempt as 4 bytes with
 * the highest first, and the phase's name. `attempt` is 0 for the phase `job`.
 *
 * @throws RangeError when the job's id is no UUID.
 */
export function spanIdOf(jobId: string, attempt: number, phase: TracePhase): string {
  const bytes = new Uint8Array(20 + phase.length);
  writeUuid(jobId, bytes, 0);
  for (let at = 0; at < 4; at++) bytes[16 + at] = attempt >>> (24 - 8 * at);
  for (let at = 0; at < phase.length; at++) bytes[20 + at] = phase.charCodeAt(at);
  return fnv1a64(bytes);
}

/** In two halves of 32 bits: every product stays below 2^53. The prime is 2^40 + 0x1b3. */
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

/** Whether the spans of the job are kept: decided alike by whoever asks, without anything being remembered. */
export function isSampled(origin: TraceOrigin, { followsCaller, ratio }: Sampling): boolean {
  const caller = parseTraceparent(origin.traceparent);
  if (caller && followsCaller) return caller.sampled;
  // The end of an id is random, in ours as in those of W3C.
  return Number.parseInt(traceIdOf(origin).slice(-13), 16) / 16 ** 13 >= 1 - ratio;
}

/** The context of one of the job's spans, for what happens within it. */
export function spanContext(origin: TraceOrigin, attempt: number, phase: TracePhase, sampling: Sampling): TraceContext {
  return {
    traceId: traceIdOf(origin),
    spanId: spanIdOf(origin.jobId, attempt, phase),
    sampled: isSampled(origin, sampling),
  };
}
