/** Runs a job whose attempts fail one after the other under a policy. The tables of the peers' semantics use it. */

import { type Failure, systemFailure } from '../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../server/domain/definitions/definition.ts';
import { decideFail, decideSessionEnd } from '../../../../server/domain/jobs/decide.ts';
import { decideLoss } from '../../../../server/domain/jobs/decide-loss.ts';
import type { Change, OpenRun } from '../../../../server/domain/jobs/run.ts';
import type { RetryPolicy } from '../../../../server/domain/retries/retry-policy.ts';
import { openRunAt, SESSION_ID } from '../../../support/jobs/open-run.ts';

export const NOW_US = 1_795_000_000_000_000;

/** A lapse, in a list of failures. */
export const LAPSE = 'lapse';

export function runOf(changes: Partial<OpenRun> = {}): OpenRun {
  return openRunAt(NOW_US, {
    state: 'RUNNING',
    attempt: 1,
    sessionId: SESSION_ID,
    assignTimeUs: NOW_US,
    dueTimeUs: NOW_US,
    ...changes,
  });
}

export function policyOf(changes: Partial<RetryPolicy>): RetryPolicy {
  return { ...definitionDefaults.retryPolicy, jitter: 'NONE', ...changes };
}

export function failed(changes: Partial<Failure> = {}): Failure {
  return { ...systemFailure('APPLICATION', 'Error', 'no'), ...changes };
}

/** The outcome of the last attempt, each begun after the delay before it, and the state of the job. */
export interface Story {
  readonly last: Change;
  /** Delays before the later attempts, in ms. */
  readonly waitsMs: number[];
}

/** Runs attempts until the job no longer continues by itself, or the list ends. */
export function play(policy: RetryPolicy, ...happens: (Failure | typeof LAPSE)[]): Story {
  let run = runOf();
  let nowUs = NOW_US;
  const waitsMs: number[] = [];
  for (const [i, what] of happens.entries()) {
    const moment = { nowUs, random: 0.5 };
    const last =
      what === LAPSE
        ? decideLoss(decideSessionEnd(run, 'LAPSE', moment), policy, moment)
        : decideFail(run, what, policy, moment);
    if (last.kind === 'end' || last.state === 'PAUSED' || i === happens.length - 1) {
      if (last.kind === 'continue' && last.dueTimeUs !== null) waitsMs.push((last.dueTimeUs - nowUs) / 1_000);
      return { last, waitsMs };
    }
    const dueUs = last.dueTimeUs ?? nowUs;
    waitsMs.push((dueUs - nowUs) / 1_000);
    nowUs = dueUs;
    const { attemptCount, consecutiveLosses, suspectLosses, totalLosses, failures } = last;
    run = {
      ...run,
      attempt: run.attempt + 1,
      attemptCount,
      consecutiveLosses,
      suspectLosses,
      totalLosses,
      failures,
    };
  }
  throw new Error('nothing happened');
}
