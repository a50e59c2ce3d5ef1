/** The reason that is shown for a ready job with demands on its worker. */
import { describe, expect, it } from 'vitest';
import type { Demands } from '../../../server/domain/dispatch/demands.ts';
import { canonicalDemands, type LaneKey } from '../../../server/domain/dispatch/placement.ts';
import type { Taken } from '../../../server/domain/dispatch/resources.ts';
import { type PlacementOffer, placementReason } from '../../../server/domain/explain/placement-reason.ts';

function laneOf(demands: Partial<Demands>): LaneKey {
  const key = { namespace: 'default', queue: 'default', definition: 'job', definitionVersion: 2, suspect: false };
  return { ...key, demands: canonicalDemands({ labels: {}, ...demands }) };
}

function offer(workerName: string, changes: Partial<PlacementOffer> = {}): PlacementOffer {
  const handlers = [{ name: 'job', minVersion: 0, maxVersion: 0 }];
  return { sessionId: workerName, workerName, namespace: 'default', handlers, labels: {}, resources: {}, ...changes };
}

function reasonOf(demands: Partial<Demands>, offers: PlacementOffer[], taken: Record<string, Taken[]> = {}) {
  return placementReason(offers, laneOf(demands), 'job', new Map(Object.entries(taken)))?.text;
}

const gpu = (workerName: string, amount: number) => offer(workerName, { resources: { gpu: amount } });

describe('the placement reason of a job with demands', () => {
  it('is empty while a worker has enough', () => {
    expect(reasonOf({ resources: { gpu: 2 } }, [gpu('a', 1), gpu('b', 2)])).toBeUndefined();
    expect(reasonOf({ labels: { zone: 'a' } }, [offer('a', { labels: { zone: 'a' } })])).toBeUndefined();
  });

  it('is empty when no worker serves the job at all, which is reported elsewhere', () => {
    expect(reasonOf({ resources: { gpu: 2 } }, [offer('a', { handlers: [] })])).toBeUndefined();
    const older = [{ name: 'job', minVersion: 0, maxVersion: 1 }];
    expect(reasonOf({ resources: { gpu: 2 } }, [offer('a', { handlers: older })])).toBeUndefined();
  });

  it('says that no worker could ever run it, with the largest offer', () => {
    expect(reasonOf({ resources: { gpu: 4, cpu: 1 } }, [gpu('a', 1), gpu('b', 2)])).toBe(
      'no connected worker could ever run it: it takes cpu 1, gpu 4; the most that one offers is cpu 0, gpu 2',
    );
  });

  it('names the labels that no worker has', () => {
    const demands = { labels: { zone: 'a' }, required: 'has(labels.ssd)', resources: { gpu: 1 } };
    expect(reasonOf(demands, [gpu('a', 8)])).toBe(
      'no connected worker that serves it has the labels that it demands: zone=a, has(labels.ssd)',
    );
  });

  it('says that it waits for capacity, of one worker or of all suitable ones', () => {
    const taken = [{ resources: { gpu: 1 }, jobs: 1 }];
    expect(reasonOf({ resources: { gpu: 2 } }, [gpu('a', 2), gpu('b', 1)], { a: taken })).toBe(
      'waits for capacity: it takes gpu 2; worker a has less than that left',
    );
    expect(reasonOf({ resources: { gpu: 2 } }, [gpu('a', 2), gpu('b', 2)], { a: taken, b: taken })).toBe(
      'waits for capacity: it takes gpu 2; 2 workers that could run it have less than that left',
    );
    expect(reasonOf({ resources: { gpu: 2 } }, [gpu('a', 2), gpu('b', 2)], { a: taken })).toBeUndefined();
  });

  it('names the worker that the job is bound to when that one is absent', () => {
    const hard = { sticky: { worker: 'a', mode: 'HARD' } } as const;
    expect(reasonOf(hard, [offer('b')])).toBe(
      'waits for worker a, which it keeps to: it is not connected, or no longer serves it',
    );
    expect(reasonOf(hard, [offer('a'), offer('b')])).toBeUndefined();
    expect(reasonOf({ sticky: { worker: 'a', mode: 'SOFT' } }, [offer('b')])).toBeUndefined();
  });
});
