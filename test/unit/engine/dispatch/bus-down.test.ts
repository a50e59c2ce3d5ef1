/** While the bus is down, the reply to a heartbeat carries the jobs that were claimed for the session. */
import { expect, it } from 'vitest';
import { Definitions } from '../../../../server/engine/definitions/definitions.ts';
import { Dispatcher } from '../../../../server/engine/dispatch/dispatcher.ts';
import { Lanes } from '../../../../server/engine/dispatch/lanes.ts';
import { ReadyTakers } from '../../../../server/engine/dispatch/ready-takers.ts';
import { UnspentCredits } from '../../../../server/engine/dispatch/unspent-credits.ts';
import type { Claim, ClaimedJob } from '../../../../server/engine/ports/dispatch.ts';
import type { Bus, Log } from '../../../../server/engine/ports/ports.ts';
import { makeJob } from '../../../support/store/store-fixtures.ts';
import { VirtualTime } from '../base/virtual-time.ts';
import { LaneStore } from './lane-store.ts';

const offers = { namespace: 'default', handlers: [{ name: 'mail', minVersion: 0, maxVersion: 0 }], labels: {} };

/** As many jobs as there are permits. */
function jobsFor({ permits, lanes }: Claim): ClaimedJob[] {
  return permits.map((permit) => {
    const { jobId, rank, input, runTimeoutMs } = makeJob(lanes[0]?.laneId ?? 0);
    const counts = { attempt: 1, attemptCount: 0, checkpoint: undefined, traceparent: '', tracestate: '' };
    return { ...permit, ...counts, jobId, laneId: lanes[0]?.laneId ?? 0, rank, input, runTimeoutMs };
  });
}

it('a heartbeat with the bus down claims a suspect first, for one slot, and other jobs for the rest', async () => {
  const time = new VirtualTime();
  const laneStore = new LaneStore();
  const lanes = new Lanes(laneStore, new Definitions(laneStore, time, () => 0));
  const credits = new UnspentCredits(time);
  const claims: Claim[] = [];
  const claim = async (asked: Claim) => {
    claims.push(asked);
    return { jobs: jobsFor(asked), gatedLaneIds: [] };
  };
  const dispatcher = new Dispatcher({
    takers: new ReadyTakers(),
    store: {
      claim,
    },
    limits: {
      limitsToClaim: () => Promise.reject(new Error('no lane has limits here')),
      laneOf: () => {
        throw new Error('no lane has limits here');
      },
      claimResult: () => {},
      takesSlotsOnly: () => false,
    },
    capacities: { claimResult: () => {} },
    lanes,
    credits,
    bus: { isUp: () => false } as Bus,
    log: {} as Log,
  });
  for (const suspect of [false, true]) {
    const key = {
      namespace: 'default',
      queue: 'default',
      definition: 'mail',
      definitionVersion: 1,
      demands: '',
      suspect,
    };
    const laneId = await lanes.idOf(key);
    await lanes.load([laneId]);
    lanes.lower({ laneId, rank: 1 });
  }
  credits.deposit('a', offers, [{ creditId: 1, slots: 3, prefetch: 1 }]);
  const assignments = await dispatcher.claimFor('a', credits.classOf('a'));
  expect(claims.map(({ suspects, permits }) => [suspects, permits.map((permit) => permit.prefetch)])).toEqual([
    [true, [false]],
    [false, [false, false, true]],
  ]);
  expect(assignments).toHaveLength(4);
});
