/** Metrics of waiting jobs distinguish jobs that no connected worker can run. */
import { describe, expect, it } from 'vitest';
import type { Demands } from '../../../../server/domain/dispatch/demands.ts';
import { canonicalDemands } from '../../../../server/domain/dispatch/placement.ts';
import { BacklogReasons, type BacklogReasonsParts } from '../../../../server/engine/upkeep/backlog-reasons.ts';

/** The reasons of three ready jobs with the given demands, while the worker `there` is connected. */
async function reasonsOf(demands: Partial<Demands>, body: object = { handler: 'd' }): Promise<unknown[]> {
  const key = { namespace: 'default', queue: 'line', definition: 'd', definitionVersion: 1, suspect: false };
  const lane = { ...key, demands: canonicalDemands({ labels: {}, ...demands }), definitionBody: body };
  const offer = { namespace: 'default', workerName: 'there', handlers: [{ name: 'd', minVersion: 0, maxVersion: 0 }] };
  const waiting = { laneId: 1, ready: 3, scheduled: 0, paused: 0, blocked: 0, gate: undefined, limited: false };
  const parts = {
    store: {
      explain: { readWaitingLanes: async () => [waiting] },
      listOffers: async () => [{ ...offer, labels: {}, resources: {} }],
    },
    lanes: { load: async () => {}, get: () => lane },
  } as unknown as BacklogReasonsParts;
  return (await new BacklogReasons(parts).read()).map(({ reason, jobs }) => [reason, jobs]);
}

describe('the count of waiting jobs', () => {
  it('separates jobs bound to a missing worker from those in line', async () => {
    const sticky = (worker: string, mode: 'HARD' | 'SOFT') => reasonsOf({ sticky: { worker, mode } });
    expect(await sticky('gone', 'HARD')).toEqual([['no_worker', 3]]);
    expect(await sticky('there', 'HARD')).toEqual([['in_line', 3]]);
    expect(await sticky('gone', 'SOFT')).toEqual([['in_line', 3]]);
  });

  it('never counts a workflow or a wait as lacking a worker', async () => {
    expect(await reasonsOf({}, { handler: '', workflow: {} })).toEqual([['in_line', 3]]);
    expect(await reasonsOf({}, { handler: '', wait: {} })).toEqual([['in_line', 3]]);
  });

  it('separates jobs whose resources or labels no worker has', async () => {
    expect(await reasonsOf({ resources: { gpu: 1 } })).toEqual([['no_worker', 3]]);
    expect(await reasonsOf({ labels: { zone: 'a' } })).toEqual([['no_worker', 3]]);
    expect(await reasonsOf({})).toEqual([['in_line', 3]]);
  });
});
