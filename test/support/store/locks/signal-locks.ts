/** Waits for signals, and signals that are sent, kept and delivered. */
import { decideBeginWait, decideEndWait } from '../../../../server/domain/signals/wait.ts';
import type { Store } from '../../../../server/engine/ports/store.ts';
import type { StoreContext } from '../store-context.ts';
import { makeLane, submitMany } from '../store-fixtures.ts';
import { presentUs, signalPayload } from '../store-waits.ts';
import { groupOf, type LockedRows, type Operation, openAgain, turned } from './locked-rows.ts';

interface SignalRows {
  readonly waitLaneIds: readonly number[];
  readonly signalKeyIds: readonly string[];
  readonly waiting: readonly string[];
}

const outcome = { state: 'SUCCEEDED', result: signalPayload } as const;

/** One page of a delivery, as in the engine. */
function deliverPage(store: Store, rowId: number, isReversed: boolean): Promise<void> {
  return store.together(async ({ waits, change }) => {
    const delivery = await waits.lockDelivery(rowId, presentUs());
    if (!delivery) return;
    const found = await waits.readWaiting(delivery, 2);
    const jobIds = turned(found, isReversed).map(({ jobId }) => jobId);
    const ended = await change({ by: 'jobs', namespace: 'default', jobIds }, (run) => decideEndWait(run, outcome));
    const last = found.at(-1);
    if (last && last.rowId < delivery.upTo) return waits.advance(rowId, last.rowId, ended.length);
    if (ended.length > 0) return waits.drop(rowId);
    await waits.lockKeys([delivery.signalKeyId]);
    await waits.readKey(delivery.signalKeyId, presentUs());
    await waits.redirect(rowId, { kind: 'KEEP' });
  });
}

const operations: Record<string, Operation<SignalRows>> = {
  'begin to wait': (store, isReversed, { waitLaneIds, signalKeyIds }) =>
    store.together(async ({ waits, change }) => {
      const laneIds = turned(waitLaneIds, isReversed);
      const begun = await change({ by: 'workflows', laneIds, limit: 9 }, decideBeginWait);
      const awaited = begun.map(({ run: { jobId } }, i) => ({ jobId, signalKeyId: signalKeyIds[i % 3] as string }));
      await waits.lockKeys(awaited.map(({ signalKeyId }) => signalKeyId));
      await waits.takeKept(turned(signalKeyIds, isReversed), presentUs());
      await waits.insertSignalWaits(awaited.map((wait) => ({ ...wait, name: 'paid', key: '' })));
      const jobIds = turned(awaited, isReversed).map(({ jobId }) => jobId);
      await change({ by: 'jobs', namespace: 'default', jobIds }, (run) => decideEndWait(run, outcome));
    }),
  'send signals': async (store, isReversed, { signalKeyIds }) => {
    for (const signalKeyId of turned(signalKeyIds, isReversed))
      await store.together(async ({ waits }) => {
        await waits.lockKeys([signalKeyId]);
        const { promisedUpTo: after, lastWait } = await waits.readKey(signalKeyId, presentUs());
        const signal = { namespace: 'default', signalKeyId, payload: signalPayload, keepMs: 60_000 };
        const fate = lastWait ? ({ kind: 'DELIVER', after, upTo: lastWait } as const) : ({ kind: 'KEEP' } as const);
        await waits.insertSignal(signal, fate, presentUs());
      });
  },
  'deliver signals': async (store, isReversed) => {
    for (const _ of [1, 2])
      for (const rowId of turned(await store.waits.findDeliveries(0, 10), isReversed))
        await deliverPage(store, rowId, isReversed);
  },
  'end waits for signals': (store, isReversed, { waiting, jobIds }) =>
    store.change({ by: 'jobs', namespace: 'default', jobIds: turned([...waiting, ...jobIds], isReversed) }, (run) =>
      decideEndWait(run, outcome),
    ),
};

async function makeRows(context: StoreContext, _: LockedRows): Promise<SignalRows & { readonly reset: string }> {
  const waitLaneIds = [await makeLane(context), await makeLane(context)];
  const signalKeyIds = [1, 2, 3].map(() => crypto.randomUUID());
  const jobs = await Promise.all(
    waitLaneIds.map(async (laneId) =>
      (await submitMany(context, laneId, 10)).map((jobId, i) => ({ jobId, laneId, state: i < 4 ? 3 : 7 })),
    ),
  );
  const waiting = jobs.flat().flatMap(({ jobId, state }) => (state === 7 ? [jobId] : []));
  const waits = waiting.map((jobId, i) => `('${jobId}', '${signalKeyIds[i % 3]}', 'paid', '')`);
  const sent = signalKeyIds.map((id) => `('default', '${id}', '', '', muster_now(), muster_now() + interval '1 min'`);
  const last = '(SELECT max(row_id) FROM signal_waits)';
  // Per key, one is delivered to all waits, one has found no wait, and one is kept.
  const reset = `${openAgain(jobs.flat())}
DELETE FROM signal_waits; DELETE FROM sent_signals;
INSERT INTO signal_waits (job_id, signal_key_id, name, key) VALUES ${waits};
INSERT INTO sent_signals (namespace, signal_key_id, payload, content_type, send_time, keep_until, after_row, up_to_row)
VALUES ${sent.map((row) => `${row}, 0, ${last}), ${row}, ${last}, ${last}), ${row}, NULL, NULL)`)};`;
  return { waitLaneIds, signalKeyIds, waiting, reset };
}

export const signalLocks = groupOf(operations, makeRows);
