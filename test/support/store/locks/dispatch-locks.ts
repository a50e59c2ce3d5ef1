/** Claims, lanes with their counts, the outbox, and the pause of a queue. */
import { jobsOf, MAX_BYTES } from '../store-fixtures.ts';
import { type Operation, turned } from './locked-rows.ts';

let madeLanes = 0;

export const dispatchLocks: Readonly<Record<string, Operation>> = {
  claim: (store, isReversed, { laneIds, sessionIds }) =>
    jobsOf(
      store.claim({
        permits: turned(sessionIds, isReversed).flatMap((sessionId) =>
          [1, 2, 3].map((creditId) => ({ sessionId, creditId, prefetch: false })),
        ),
        lanes: turned(laneIds, isReversed).map((id) => ({ laneId: id, cursor: 0 })),
        maxBytes: MAX_BYTES,
      }),
    ),
  'claim jobs that demand resources': async (store, isReversed, { laneIds, sessionIds }) => {
    const permits = turned(sessionIds, isReversed).flatMap((sessionId) =>
      [1, 2, 3].map((creditId) => ({ sessionId, creditId, prefetch: false })),
    );
    for (const id of turned(laneIds, isReversed))
      await jobsOf(
        store.claim({
          permits,
          lanes: [{ laneId: id, cursor: 0 }],
          needs: { cpu: 1 },
          suspects: isReversed,
          maxBytes: MAX_BYTES,
        }),
      );
  },
  'create a lane': (store, isReversed) =>
    store.ensureLane({
      namespace: 'default',
      queue: 'default',
      definition: `made-${++madeLanes}`,
      definitionVersion: 1,
      demands: '',
      suspect: isReversed,
    }),
  'fold the counts': (store) => store.queues.foldCounts(),
  // The turns of two relays end at once, so they hold the same rows.
  'empty the outbox': async ({ outbox }, isReversed, { sessionIds }) => {
    const relayId = sessionIds[isReversed ? 0 : 1] as string;
    const rows = (await outbox.take(relayId, MAX_BYTES, 0)) ?? [];
    await outbox.finish(
      relayId,
      turned(rows, isReversed).map((row) => row.rowId),
    );
    await outbox.dropOlder(0);
  },
  'pause and resume the queue': async (store, isReversed) => {
    const queue = { namespace: 'default', name: 'default' };
    if (isReversed) await store.queues.resume(queue);
    await store.queues.pause(queue, isReversed ? 'again' : '');
    await store.queues.resume(queue);
  },
};
