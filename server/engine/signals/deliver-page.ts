/** Delivers one page of a signal: ends the next jobs that wait for it, and stores how far the delivery is. */

import type { Change } from '../../domain/jobs/run.ts';
import { fateOfUndelivered } from '../../domain/signals/signal-queue.ts';
import { decideEndWait } from '../../domain/signals/wait.ts';
import type { WorkflowOutcome } from '../../domain/workflows/life.ts';
import type { DbClock } from '../base/db-clock.ts';
import type { ChangesWithin } from '../jobs/change/changes.ts';
import type { Delivery, Waiting } from '../ports/signals.ts';
import type { Results } from '../workflows/results.ts';

/** Max jobs per transaction, and max bytes of their results. */
const PAGE = 1_000;
const PAGE_BYTES = 8 << 20;

export interface DeliverParts {
  readonly results: Results;
  readonly dbClock: Pick<DbClock, 'nowUs'>;
}

export interface DeliveredPage {
  /** GONE: another replica delivers it, or has delivered it. */
  readonly kind: 'MORE' | 'DONE' | 'KEPT' | 'GONE';
  /** By this page and the pages before. */
  readonly delivered: number;
  readonly changes: Change[];
}

export async function deliverPage(
  { results, dbClock }: DeliverParts,
  within: ChangesWithin,
  rowId: number,
): Promise<DeliveredPage> {
  const { waits } = within.store;
  const delivery = await waits.lockDelivery(rowId, dbClock.nowUs());
  if (!delivery) return { kind: 'GONE', delivered: 0, changes: [] };
  const limit = Math.max(1, Math.min(PAGE, Math.floor(PAGE_BYTES / (delivery.payload.data.length + 1))));
  const waiting = await waits.readWaiting(delivery, limit);
  const changes = await endWaiting(results, within, delivery, waiting);
  const delivered = delivery.delivered + changes.length;
  const last = waiting.at(-1);
  if (last && last.rowId < delivery.upTo) {
    await waits.advance(rowId, last.rowId, delivered);
    return { kind: 'MORE', delivered, changes };
  }
  return { kind: await settle(within, delivery, delivered, dbClock.nowUs()), delivered, changes };
}

async function endWaiting(
  results: Results,
  within: ChangesWithin,
  { namespace, payload }: Delivery,
  waiting: readonly Waiting[],
): Promise<Change[]> {
  if (waiting.length === 0) return [];
  const outcomes = new Map<number, WorkflowOutcome>();
  for (const laneId of new Set(waiting.map((one) => one.laneId))) {
    const outcome = { state: 'SUCCEEDED', result: payload } as const;
    outcomes.set(laneId, await results.judge(within.store, within.laneOf(laneId), outcome));
  }
  const jobIds = waiting.map(({ jobId }) => jobId);
  return within.apply({ by: 'jobs', namespace, jobIds }, (run) => {
    const outcome = outcomes.get(run.laneId);
    return outcome && decideEndWait(run, outcome);
  });
}

/** Ends the delivery. If it ended no job, since all had ended otherwise, the signal may be kept or delivered again. */
async function settle(
  { store: { waits } }: ChangesWithin,
  { rowId, signalKeyId, keepMs }: Delivery,
  delivered: number,
  nowUs: number,
): Promise<'MORE' | 'DONE' | 'KEPT'> {
  if (delivered === 0) {
    await waits.lockKeys([signalKeyId]);
    const fate = fateOfUndelivered(await waits.readKey(signalKeyId, nowUs), keepMs);
    if (fate.kind !== 'DROP') {
      await waits.redirect(rowId, fate);
      return fate.kind === 'KEEP' ? 'KEPT' : 'MORE';
    }
  }
  await waits.drop(rowId);
  return 'DONE';
}
