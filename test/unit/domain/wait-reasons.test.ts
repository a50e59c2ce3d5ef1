/** The wait reasons of jobs have the same names in the contract, in jobs, in events and in metrics. */

import { WaitReason as InContract } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { describe, expect, it } from 'vitest';
import {
  countedAs,
  countedReasons,
  reasonOfMove,
  reasonOfState,
  type WaitReason,
  waitReasons,
} from '../../../server/domain/explain/wait-reasons.ts';
import type { Continue } from '../../../server/domain/jobs/run.ts';
import { putOff } from '../../../server/domain/retries/retry-budget.ts';

describe('wait reasons', () => {
  it('have the names and numbers of the contract', () => {
    const named = Object.entries(InContract).filter(([, value]) => typeof value === 'number' && value !== 0);
    expect(Object.fromEntries(named)).toEqual(waitReasons);
  });

  it('are counted under one name each, except times', () => {
    const reasons = Object.keys(waitReasons) as WaitReason[];
    const counted = reasons.map(countedAs);
    expect(new Set(counted)).toEqual(new Set(countedReasons));
    expect(counted.filter((name) => name === 'time')).toHaveLength(3);
  });

  it('follow from a state and the reason stored with it', () => {
    expect(reasonOfState('PAUSED', 'wrong address')).toBe('JOB_PAUSED');
    expect(reasonOfState('SCHEDULED', null)).toBe('DELAY');
    expect(reasonOfState('SCHEDULED', 'its worker lost its lease')).toBe('RETRY_BACKOFF');
    const change = { run: { limits: { deadlineUs: null } }, retryBudget: { definition: 'd' } } as Continue;
    expect(reasonOfState('SCHEDULED', putOff(change, 1).reason)).toBe('RETRY_BUDGET');
    expect(reasonOfState('READY', null)).toBeUndefined();
    expect(reasonOfState('FAILED', 'it failed')).toBeUndefined();
  });

  it('follow from a move, and from the lane of a ready job', () => {
    const lane = { suspect: false };
    expect(reasonOfMove(undefined, 'SCHEDULED', lane)).toBe('DELAY');
    expect(reasonOfMove('READY', 'SCHEDULED', lane)).toBe('DELAY');
    expect(reasonOfMove('RUNNING', 'SCHEDULED', lane)).toBe('RETRY_BACKOFF');
    expect(reasonOfMove('READY', 'PAUSED', { suspect: true })).toBe('JOB_PAUSED');
    expect(reasonOfMove(undefined, 'BLOCKED', lane)).toBe('DEPENDENCY');
    expect(reasonOfMove('RUNNING', 'WAITING', lane)).toBe('DEPENDENCY');
    expect(reasonOfMove('READY', 'WAITING', lane)).toBeUndefined();
    expect(reasonOfMove('SCHEDULED', 'READY', lane)).toBeUndefined();
    expect(reasonOfMove('SCHEDULED', 'READY', { suspect: true })).toBe('SUSPECT');
    expect(reasonOfMove(undefined, 'READY', { suspect: true, atLimit: true })).toBe('KEY_LIMIT');
    expect(reasonOfMove('READY', 'CANCELLED', { suspect: true })).toBeUndefined();
  });
});
