/** Signal waits in the store: recorded, found page by page, deleted with their jobs; and kept events. */
import { describe, expect, it } from 'vitest';
import { end } from '../../../../server/domain/jobs/decide.ts';
import { decideCancelWait, decideEndWait, decideWaitDue, rejected } from '../../../../server/domain/signals/wait.ts';
import { type StoreContext, sql } from '../../../support/store-context.ts';
import { deliverEvent, endPage, eventPayload, keepEvent, readKey, waitMany } from '../../../support/store-waits.ts';
import { changeOne } from '../../../support/store-workflows.ts';

export function waitsSuite(context: StoreContext): void {
  const take = (...waitIds: string[]) =>
    context.store.together(async ({ waits }) => {
      await waits.lockKeys(waitIds);
      return waits.takeKept(waitIds);
    });
  const rows = async (waitId: string) =>
    (await sql(context, `SELECT count(*)::int AS rows FROM event_waits WHERE wait_id = '${waitId}'`))[0]?.rows;
  const text = (data: Uint8Array) => new TextDecoder().decode(data);

  describe('signal waits', () => {
    it('are read from their jobs, with the parts of their derived ids', async () => {
      const waitId = crypto.randomUUID();
      const [jobId = ''] = await waitMany(context, waitId, 1);
      const missing = crypto.randomUUID();
      const found = await context.store.waits.read([jobId, missing]);
      expect([...found]).toEqual([[jobId, { waitId, name: 'paid', key: 'k' }]]);
      const [source, ...others] = await context.store.waits.readKeySources([jobId, missing]);
      expect(others).toEqual([]);
      expect(source).toMatchObject({ jobId, labels: {} });
      expect(text(source?.input.data as Uint8Array)).toBe('input');
      expect(await context.store.readJob('default', jobId)).toMatchObject({ state: 'WAITING' });
    });

    it('are deleted at any end of their jobs', async () => {
      const waitId = crypto.randomUUID();
      const [first = '', second = '', third = ''] = await waitMany(context, waitId, 3);
      await changeOne(context, first, (run) => decideCancelWait(run, 'not needed'));
      await changeOne(context, second, (run) => decideWaitDue(run, run.dueTimeUs as number));
      await changeOne(context, third, (run) => decideEndWait(run, { state: 'SUCCEEDED', result: eventPayload }));
      expect(await rows(waitId)).toBe(0);
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
      const waitId = crypto.randomUUID();
      const [gone = '', open = ''] = await waitMany(context, waitId, 2);
      await changeOne(context, gone, (run) => end('finish', run, 'FAILED', { failure: rejected('').failure }));
      expect(await rows(waitId)).toBe(2);
      for (let more = true; more; ) ({ more } = await context.store.clearExpired());
      expect([...(await context.store.waits.read([gone, open])).keys()]).toEqual([open]);
    });

    it('receive an event page by page, in the order in which they began', async () => {
      const waitId = crypto.randomUUID();
      const jobIds = await waitMany(context, waitId, 5);
      const rowId = await deliverEvent(context, waitId);
      // Later waits do not get it, and the next event goes to later waits only.
      const later = await waitMany(context, waitId, 2);
      const second = await deliverEvent(context, waitId);
      expect(await endPage(context, rowId, 2)).toEqual(jobIds.slice(0, 2));
      expect(await context.store.waits.findDeliveries(0, 10)).toEqual(expect.arrayContaining([rowId, second]));
      expect(await endPage(context, second, 9)).toEqual(later);
      expect(await endPage(context, rowId, 9)).toEqual(jobIds.slice(2));
      expect(await endPage(context, rowId, 9)).toEqual([]);
      expect(await rows(waitId)).toBe(0);
      for (const event of [rowId, second]) await context.store.waits.drop(event);
      expect(await context.store.waits.findDeliveries(0, 10)).not.toEqual(expect.arrayContaining([rowId]));
    });

    it('are found by an event', async () => {
      const waitId = crypto.randomUUID();
      expect(await readKey(context, waitId)).toEqual({ promisedUpTo: 0, lastWait: undefined, kept: 0 });
      await waitMany(context, waitId, 2);
      const { lastWait } = await readKey(context, waitId);
      expect(lastWait).toBeGreaterThan(0);
      await deliverEvent(context, waitId);
      expect(await readKey(context, waitId)).toEqual({ promisedUpTo: lastWait, lastWait: undefined, kept: 0 });
      await waitMany(context, crypto.randomUUID(), 1);
      await waitMany(context, waitId, 1);
      const now = await readKey(context, waitId);
      expect(now.promisedUpTo).toBe(lastWait);
      expect(now.lastWait).toBeGreaterThan(lastWait as number);
    });
  });

  describe('kept events', () => {
    it('are taken once, oldest first, up to the requested number', async () => {
      const [waitId, other] = [crypto.randomUUID(), crypto.randomUUID()];
      const kept = [
        await keepEvent(context, waitId),
        await keepEvent(context, waitId),
        await keepEvent(context, waitId),
      ];
      const ofOther = await keepEvent(context, other);
      expect((await readKey(context, waitId)).kept).toBe(3);
      const taken = await take(waitId, other, waitId, other);
      expect(taken.map(({ rowId }) => rowId)).toEqual([kept[0], kept[1], ofOther]);
      expect(taken[0]).toMatchObject({ waitId, payload: { contentType: 'text/plain', metadata: { a: 'b' } } });
      expect(text(taken[0]?.payload.data as Uint8Array)).toBe('paid');
      expect((await take(waitId, waitId)).map(({ rowId }) => rowId)).toEqual([kept[2]]);
      expect(await take(waitId)).toEqual([]);
    });

    it('can not be taken after they have expired, and are deleted', async () => {
      const waitId = crypto.randomUUID();
      const rowId = await keepEvent(context, waitId, 0);
      const good = await keepEvent(context, waitId);
      expect((await readKey(context, waitId)).kept).toBe(1);
      for (let more = true; more; ) ({ more } = await context.store.clearExpired());
      const left = await sql(context, `SELECT row_id FROM sent_events WHERE row_id IN (${rowId}, ${good})`);
      expect(left).toEqual([{ row_id: good }]);
      expect((await take(waitId, waitId)).map((event) => event.rowId)).toEqual([good]);
    });

    it('are only undelivered ones, and those being delivered are not taken', async () => {
      const waitId = crypto.randomUUID();
      await waitMany(context, waitId, 1);
      const onItsWay = await deliverEvent(context, waitId);
      expect(await take(waitId)).toEqual([]);
      await context.store.together(({ waits }) => waits.redirect(onItsWay, { kind: 'KEEP' }));
      expect(await context.store.together(({ waits }) => waits.lockDelivery(onItsWay))).toBeUndefined();
      expect((await take(waitId)).map(({ rowId }) => rowId)).toEqual([onItsWay]);
    });

    it('are not lost between a call that sends one and a call that begins to wait', async () => {
      const waitId = crypto.randomUUID();
      const order: string[] = [];
      const begin = context.store.together(async ({ waits }) => {
        await waits.lockKeys([waitId]);
        order.push('locked');
        await waits.readKey(waitId);
        order.push('done');
      });
      const send = context.store.together(async ({ waits }) => {
        await waits.lockKeys([waitId]);
        order.push('locked');
        await waits.readKey(waitId);
        order.push('done');
      });
      await Promise.all([begin, send]);
      expect(order).toEqual(['locked', 'done', 'locked', 'done']);
    });
  });
}
