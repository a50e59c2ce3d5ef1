/** Signal waits in the store: recorded, found page by page, deleted with their jobs; and kept signals. */
import { describe, expect, it } from 'vitest';
import { end } from '../../../../../server/domain/jobs/decide.ts';
import { decideCancelWait, decideEndWait, decideWaitDue, rejected } from '../../../../../server/domain/signals/wait.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  deliverSignal,
  endPage,
  keepSignal,
  presentUs,
  readKey,
  signalPayload,
  waitMany,
} from '../../../../support/store/store-waits.ts';
import { changeOne } from '../../../../support/store/store-workflows.ts';

export function waitsSuite(context: StoreContext): void {
  const take = (...signalKeyIds: string[]) =>
    context.store.together(async ({ waits }) => {
      await waits.lockKeys(signalKeyIds);
      return waits.takeKept(signalKeyIds, presentUs());
    });
  const rows = async (signalKeyId: string) =>
    (await sql(context, `SELECT count(*)::int AS rows FROM signal_waits WHERE signal_key_id = '${signalKeyId}'`))[0]
      ?.rows;
  const text = (data: Uint8Array) => new TextDecoder().decode(data);

  describe('signal waits', () => {
    it('are read from their jobs, with the parts of their derived ids', async () => {
      const signalKeyId = crypto.randomUUID();
      const [jobId = ''] = await waitMany(context, signalKeyId, 1);
      const missing = crypto.randomUUID();
      const found = await context.store.waits.read([jobId, missing]);
      expect([...found]).toEqual([[jobId, { signalKeyId, name: 'paid', key: 'k' }]]);
      const [source, ...others] = await context.store.waits.readKeySources([jobId, missing]);
      expect(others).toEqual([]);
      expect(source).toMatchObject({ jobId, labels: {} });
      expect(text(source?.input.data as Uint8Array)).toBe('input');
      expect(await context.store.readJob('default', jobId)).toMatchObject({ state: 'WAITING' });
    });

    it('are deleted at any end of their jobs', async () => {
      const signalKeyId = crypto.randomUUID();
      const [first = '', second = '', third = ''] = await waitMany(context, signalKeyId, 3);
      await changeOne(context, first, (run) => decideCancelWait(run, 'not needed'));
      await changeOne(context, second, (run) => decideWaitDue(run, run.dueTimeUs as number));
      await changeOne(context, third, (run) => decideEndWait(run, { state: 'SUCCEEDED', result: signalPayload }));
      expect(await rows(signalKeyId)).toBe(0);
      const { store } = context;
      expect(await store.readJob('default', first)).toMatchObject({ state: 'CANCELLED', reason: 'not needed' });
      expect(await store.readJob('default', second)).toMatchObject({
        state: 'FAILED',
        failure: { type: 'RunTimeout', failureCause: 'TIMEOUT' },
      });
      expect(await store.readJob('default', third)).toMatchObject({
        state: 'SUCCEEDED',
        result: { contentType: 'text/plain', metadata: { a: 'b' } },
      });
    });

    it('are deleted if their jobs were ended without them', async () => {
      const signalKeyId = crypto.randomUUID();
      const [gone = '', open = ''] = await waitMany(context, signalKeyId, 2);
      await changeOne(context, gone, (run) => end('finish', run, 'FAILED', { failure: rejected('').failure }));
      expect(await rows(signalKeyId)).toBe(2);
      for (let more = true; more; ) ({ more } = await context.store.clearExpired());
      expect([...(await context.store.waits.read([gone, open])).keys()]).toEqual([open]);
    });

    it('receive a signal page by page, in the order in which they began', async () => {
      const signalKeyId = crypto.randomUUID();
      const jobIds = await waitMany(context, signalKeyId, 5);
      const rowId = await deliverSignal(context, signalKeyId);
      // Later waits do not get it, and the next signal goes to later waits only.
      const later = await waitMany(context, signalKeyId, 2);
      const second = await deliverSignal(context, signalKeyId);
      expect(await endPage(context, rowId, 2)).toEqual(jobIds.slice(0, 2));
      expect(await context.store.waits.findDeliveries(0, 10)).toEqual(expect.arrayContaining([rowId, second]));
      expect(await context.store.waits.findDeliveries(60_000, 1_000)).not.toContain(rowId);
      // The clock was ahead.
      await sql(context, `UPDATE sent_signals SET send_time = send_time + interval '1 hour' WHERE row_id = ${rowId}`);
      expect(await context.store.waits.findDeliveries(60_000, 1_000)).toContain(rowId);
      expect(await endPage(context, second, 9)).toEqual(later);
      expect(await endPage(context, rowId, 9)).toEqual(jobIds.slice(2));
      expect(await endPage(context, rowId, 9)).toEqual([]);
      expect(await rows(signalKeyId)).toBe(0);
      for (const signal of [rowId, second]) await context.store.waits.drop(signal);
      expect(await context.store.waits.findDeliveries(0, 10)).not.toEqual(expect.arrayContaining([rowId]));
    });

    it('are found by a signal', async () => {
      const signalKeyId = crypto.randomUUID();
      expect(await readKey(context, signalKeyId)).toEqual({ promisedUpTo: 0, lastWait: undefined, kept: 0 });
      await waitMany(context, signalKeyId, 2);
      const { lastWait } = await readKey(context, signalKeyId);
      expect(lastWait).toBeGreaterThan(0);
      await deliverSignal(context, signalKeyId);
      expect(await readKey(context, signalKeyId)).toEqual({ promisedUpTo: lastWait, lastWait: undefined, kept: 0 });
      await waitMany(context, crypto.randomUUID(), 1);
      await waitMany(context, signalKeyId, 1);
      const now = await readKey(context, signalKeyId);
      expect(now.promisedUpTo).toBe(lastWait);
      expect(now.lastWait).toBeGreaterThan(lastWait as number);
    });
  });

  describe('kept signals', () => {
    it('are taken once, oldest first, up to the requested number', async () => {
      const [signalKeyId, other] = [crypto.randomUUID(), crypto.randomUUID()];
      const kept = [
        await keepSignal(context, signalKeyId),
        await keepSignal(context, signalKeyId),
        await keepSignal(context, signalKeyId),
      ];
      const ofOther = await keepSignal(context, other);
      expect((await readKey(context, signalKeyId)).kept).toBe(3);
      const taken = await take(signalKeyId, other, signalKeyId, other);
      expect(taken.map(({ rowId }) => rowId)).toEqual([kept[0], kept[1], ofOther]);
      expect(taken[0]).toMatchObject({ signalKeyId, payload: { contentType: 'text/plain', metadata: { a: 'b' } } });
      expect(text(taken[0]?.payload.data as Uint8Array)).toBe('paid');
      expect((await take(signalKeyId, signalKeyId)).map(({ rowId }) => rowId)).toEqual([kept[2]]);
      expect(await take(signalKeyId)).toEqual([]);
    });

    it('can not be taken after they have expired, and are deleted', async () => {
      const signalKeyId = crypto.randomUUID();
      const rowId = await keepSignal(context, signalKeyId, 0);
      const good = await keepSignal(context, signalKeyId);
      expect((await readKey(context, signalKeyId)).kept).toBe(1);
      for (let more = true; more; ) ({ more } = await context.store.clearExpired());
      const left = await sql(context, `SELECT row_id FROM sent_signals WHERE row_id IN (${rowId}, ${good})`);
      expect(left).toEqual([{ row_id: good }]);
      expect((await take(signalKeyId, signalKeyId)).map((signal) => signal.rowId)).toEqual([good]);
    });

    it('lapse by the time of the replica, though the clock of the database has stepped', async () => {
      const signalKeyId = crypto.randomUUID();
      const hourUs = 3_600_000_000;
      const takeAt = (nowUs: number) => context.store.together(({ waits }) => waits.takeKept([signalKeyId], nowUs));
      // The database is an hour behind: to the replica it is an hour later.
      const rowId = await keepSignal(context, signalKeyId, 60_000, presentUs() + hourUs);
      const text = `SELECT keep_until > muster_now() + interval '1 h 55 s' AS kept FROM sent_signals WHERE row_id = ${rowId}`;
      expect(await sql(context, text)).toEqual([{ kept: true }]);
      // The database is an hour ahead: to the replica the signal is kept for another minute.
      await sql(
        context,
        `UPDATE sent_signals SET keep_until = muster_now() - interval '59 min' WHERE row_id = ${rowId}`,
      );
      await context.store.clearExpired({ latestUs: presentUs() - hourUs });
      expect(await takeAt(presentUs())).toEqual([]);
      expect((await takeAt(presentUs() - hourUs)).map((signal) => signal.rowId)).toEqual([rowId]);
    });

    it('are only undelivered ones, and those being delivered are not taken', async () => {
      const signalKeyId = crypto.randomUUID();
      await waitMany(context, signalKeyId, 1);
      const onItsWay = await deliverSignal(context, signalKeyId);
      expect(await take(signalKeyId)).toEqual([]);
      await context.store.together(({ waits }) => waits.redirect(onItsWay, { kind: 'KEEP' }));
      expect(await context.store.together(({ waits }) => waits.lockDelivery(onItsWay, presentUs()))).toBeUndefined();
      expect((await take(signalKeyId)).map(({ rowId }) => rowId)).toEqual([onItsWay]);
    });

    it('are not lost between a call that sends one and a call that begins to wait', async () => {
      const signalKeyId = crypto.randomUUID();
      const order: string[] = [];
      const begin = context.store.together(async ({ waits }) => {
        await waits.lockKeys([signalKeyId]);
        order.push('locked');
        await waits.readKey(signalKeyId, presentUs());
        order.push('done');
      });
      const send = context.store.together(async ({ waits }) => {
        await waits.lockKeys([signalKeyId]);
        order.push('locked');
        await waits.readKey(signalKeyId, presentUs());
        order.push('done');
      });
      await Promise.all([begin, send]);
      expect(order).toEqual(['locked', 'done', 'locked', 'done']);
    });
  });
}
