/** GetJob looks up the wait reason of a ready job, and nothing for other jobs. */
import { describe, expect, it } from 'vitest';
import type { WaitReason } from '../../../../server/domain/explain/wait-reasons.ts';
import { ReadyReasons, type ReadyReasonsParts } from '../../../../server/engine/explain/ready-reasons.ts';
import type { JobView } from '../../../../server/engine/ports/jobs.ts';
import { constantRandom, VirtualTime } from '../base/virtual-time.ts';

interface Given {
  readonly state?: string;
  readonly waitReason?: WaitReason;
  readonly reason?: string;
  readonly runState?: string;
  readonly suspect?: boolean;
  readonly body?: object;
  readonly served?: boolean;
}

function start(given: Given = {}) {
  const reads: string[] = [];
  const note = <T>(what: string, value: T) => {
    reads.push(what);
    return value;
  };
  const { state = 'READY', runState = 'READY', suspect = false, body = { handler: 'd' }, served = true } = given;
  const key = { namespace: 'default', queue: 'q', definition: 'd', definitionVersion: 1, demands: '', suspect };
  const lane = { ...key, laneId: 1, definitionBody: body };
  const handlers = [{ name: 'd', minVersion: 0, maxVersion: 0 }];
  const session = { ...key, sessionId: 's', workerName: 'w', handlers, labels: {}, slots: 1, held: 0 };
  const parts = {
    store: {
      readRun: async () => note('run', { state: runState, laneId: 1, suspect, atLimit: false, nowUs: 1 }),
      readLimits: async () => note('limits', { limits: [], nowUs: 1 }),
    },
    lanes: { load: async () => {}, get: () => lane },
    limits: { laneOf: () => key },
    sessions: { read: async () => note('sessions', served ? [session] : []) },
    preferences: { of: () => undefined, withBars: (sessions: unknown) => sessions },
    timers: new VirtualTime(),
    random: constantRandom(0.5),
  } as unknown as ReadyReasonsParts;
  const reasons = new ReadyReasons(parts);
  const { waitReason, reason = '' } = given;
  const view = { jobId: 'j', namespace: 'default', state, waitReason, reason } as unknown as JobView;
  return { reads, poll: () => reasons.withReason(view) };
}

async function reasonOf(given: Given): Promise<unknown> {
  const { waitReason, reason } = await start(given).poll();
  return [waitReason, reason];
}

describe('the wait reason of a ready job', () => {
  it.each(['BLOCKED', 'SCHEDULED', 'PAUSED', 'ASSIGNED', 'RUNNING', 'CANCELLING', 'WAITING', 'SUCCEEDED', 'FAILED'])(
    'is not looked up for a job that is %s',
    async (state) => {
      const { reads, poll } = start({ state });
      expect((await poll()).waitReason).toBeUndefined();
      expect(reads).toEqual([]);
    },
  );

  it('is not looked up when its queue or its breaker blocks it', async () => {
    for (const waitReason of ['QUEUE_PAUSED', 'CIRCUIT_BREAKER'] as const) {
      const { reads, poll } = start({ waitReason });
      expect((await poll()).waitReason).toBe(waitReason);
      expect(reads).toEqual([]);
    }
  });

  it('costs three reads, and concurrent callers share the reads of sessions', async () => {
    const { reads, poll } = start();
    await Promise.all(Array.from({ length: 50 }, poll));
    expect(reads.filter((read) => read === 'run')).toHaveLength(50);
    expect(reads.filter((read) => read === 'limits')).toHaveLength(50);
    expect(reads.filter((read) => read === 'sessions').length).toBeLessThanOrEqual(2);
  });

  it('is NO_WORKER, SUSPECT or its turn in the queue', async () => {
    const none = 'no session serves definition d version 1; none is open in its namespace';
    expect(await reasonOf({ served: false, reason: 'given back' })).toEqual(['NO_WORKER', none]);
    expect(await reasonOf({ served: false, suspect: true, waitReason: 'SUSPECT' })).toEqual(['NO_WORKER', none]);
    expect(await reasonOf({ suspect: true, waitReason: 'SUSPECT', reason: 'lost' })).toEqual(['SUSPECT', 'lost']);
    expect(await reasonOf({})).toEqual(['IN_LINE', '']);
    expect(await reasonOf({ reason: 'given back' })).toEqual(['IN_LINE', 'given back']);
    expect(await reasonOf({ waitReason: 'NO_WORKER', reason: 'for room' })).toEqual(['NO_WORKER', 'for room']);
  });

  it('is empty for a job that was just assigned, and for a workflow or a wait', async () => {
    expect(await reasonOf({ runState: 'ASSIGNED' })).toEqual([undefined, '']);
    expect(await reasonOf({ body: { handler: '', workflow: {} }, served: false })).toEqual([undefined, '']);
    expect(await reasonOf({ body: { handler: '', wait: {} }, served: false })).toEqual([undefined, '']);
  });
});
