/** Why the jobs of a gated lane wait, as far as one job's own state does not say it. */
import type { LimitUse } from '../dispatch/limit-use.ts';
import { breakerText, concurrencyText, keyText, momentText, queuePausedText } from './pause-texts.ts';
import type { WaitReason } from './wait-reasons.ts';

export interface GateReason {
  readonly reason: WaitReason;
  readonly text: string;
}

/** A lane with the queue and the circuit breaker that gate it. */
export interface LaneGates {
  readonly queue: string;
  readonly definition: string;
  /** Undefined: the queue is not paused. */
  readonly pauseReason: string | undefined;
  /** Undefined: none is open. Without a time, the job is the probe. */
  readonly breaker:
    | { readonly name: string; readonly probeTimeUs: number | undefined; readonly probeJobId: string | undefined }
    | undefined;
  /** Its jobs are deferred at the limit of their key. */
  readonly atLimit: boolean;
}

/** A paused queue, or an open circuit breaker. */
export function gateReason({ queue, pauseReason, breaker }: LaneGates): GateReason | undefined {
  if (pauseReason !== undefined) return { reason: 'QUEUE_PAUSED', text: queuePausedText(queue, pauseReason) };
  if (!breaker) return undefined;
  const { name, probeTimeUs, probeJobId } = breaker;
  const next =
    probeTimeUs === undefined ? `job ${probeJobId} is the probe` : `a probe is made at ${momentText(probeTimeUs)}`;
  return { reason: 'CIRCUIT_BREAKER', text: breakerText(name, next) };
}

/** An exhausted limit of concurrency. Rates recover by themselves: a job that waits for one gives no reason. */
export function limitReason(lane: LaneGates, { limits, queue, definition }: LimitUse): GateReason | undefined {
  if (lane.atLimit) return { reason: 'KEY_LIMIT', text: keyText(lane.definition, limits.definition?.keyLimit ?? {}) };
  for (const [reason, what, use] of [
    ['DEFINITION_LIMIT', `definition ${lane.definition}`, definition],
    ['QUEUE_LIMIT', `queue ${lane.queue}`, queue],
  ] as const)
    if (use?.maxConcurrency !== undefined && use.held >= use.maxConcurrency)
      return { reason, text: concurrencyText(what, use) };
  return undefined;
}
