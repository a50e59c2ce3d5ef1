/** Sessions: opened once for each request, renewed monotonically, closed in two steps, and read by sweeps. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { decideSessionEnd } from '../../../../../server/domain/jobs/decide.ts';
import { FAR_US } from '../../../../support/store/far.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { holdMany, lapse, only, openWorker } from '../../../../support/store/store-fixtures.ts';

const beat = (sessionId: string, pingEcho = 0, draining = false) => ({ sessionId, pingEcho, draining });

export function sessionsSuite(context: StoreContext): void {
  const read = async (sessionId: string) => only(await context.store.readSessions([sessionId]));
  const renew = async (sessionId: string, pingEcho = 0, draining = false, leaseMs = 60_000) =>
    only(await context.store.renewSessions([beat(sessionId, pingEcho, draining)], leaseMs, 0));

  describe('opening a session', () => {
    it('stores the offer', async () => {
      const offered = {
        sessionId: randomUUID(),
        namespace: 'default',
        workerName: 'ä "worker"',
        slots: 3,
        handlers: [{ name: 'a', minVersion: 1, maxVersion: 2 }],
        labels: { 'k"': '\\' },
        resources: { cpu: 1.5 },
        sdk: { name: 'n', version: '1.2', language: 'python' },
      };
      const opened = await context.store.openSession({ ...offered, nowUs: 0, leaseMs: 15_000 });
      expect(opened).toMatchObject({ ...offered, state: 'OPEN', beats: 0, pingEcho: 0, draining: false });
      expect(opened.leaseUntilUs - opened.openTimeUs).toBe(15_000_000);
      expect(opened.beatTimeUs).toBe(opened.openTimeUs);
      expect(await read(offered.sessionId)).toEqual(opened);
    });

    it('counts the lease from the later one of the two clocks: the database may be an hour behind', async () => {
      const nowUs = (await context.store.nowUs()) + 3_600_000_000;
      const { leaseUntilUs, sessionId } = await openWorker(context, { nowUs, leaseMs: 15_000 });
      expect(leaseUntilUs).toBe(nowUs + 15_000_000);
      await context.store.renewSessions([beat(sessionId)], 15_000, nowUs + 5_000_000);
      expect((await read(sessionId)).leaseUntilUs).toBe(nowUs + 20_000_000);
    });

    it('opens one session for each request id and namespace, also for concurrent calls', async () => {
      const requestId = randomUUID();
      const opened = await Promise.all([1, 2, 3].map(() => openWorker(context, { requestId })));
      expect(new Set(opened.map((session) => session.sessionId)).size).toBe(1);
      expect((await openWorker(context, { requestId })).sessionId).toBe(opened[0]?.sessionId);
      expect((await openWorker(context, { requestId, namespace: 'other' })).sessionId).not.toBe(opened[0]?.sessionId);
      expect((await openWorker(context)).sessionId).not.toBe((await openWorker(context)).sessionId);
    });
  });

  describe('renewing a session', () => {
    it('prolongs the lease, counts the heartbeat and returns the time of the one before', async () => {
      const { sessionId, openTimeUs } = await openWorker(context, { leaseMs: 1_000 });
      expect(await renew(sessionId)).toEqual({
        sessionId,
        beats: 1,
        pingEcho: 0,
        previousBeatUs: openTimeUs,
        beatUs: expect.any(Number),
        draining: false,
        drainWanted: false,
      });
      const after = await read(sessionId);
      expect(after.leaseUntilUs - after.beatTimeUs).toBe(1_000_000);
      expect((await renew(sessionId)).previousBeatUs).toBe(after.beatTimeUs);
    });

    it('keeps the lease that its worker got, at a replica with a longer and one with a shorter lease', async () => {
      const { sessionId } = await openWorker(context, { leaseMs: 15_000 });
      const leaseUs = async () => {
        const { leaseUntilUs, beatTimeUs } = await read(sessionId);
        return leaseUntilUs - beatTimeUs;
      };
      await renew(sessionId, 0, false, 60_000);
      expect(await leaseUs()).toBe(15_000_000);
      await renew(sessionId, 0, false, 3_000);
      expect(await leaseUs()).toBe(15_000_000);
      expect(await context.store.shortenLeases(3_000, 0)).not.toContain(sessionId);
      await sql(context, `UPDATE sessions SET lease_ms = NULL WHERE session_id = '${sessionId}'`);
      await renew(sessionId, 0, false, 60_000);
      expect(await leaseUs()).toBe(60_000_000);
    });

    it('never shortens a lease nor lowers the echo', async () => {
      const { sessionId } = await openWorker(context);
      await sql(
        context,
        `UPDATE sessions SET lease_until = lease_until + interval '30 s' WHERE session_id = '${sessionId}'`,
      );
      const { leaseUntilUs } = await read(sessionId);
      await renew(sessionId, 5);
      expect((await read(sessionId)).leaseUntilUs).toBe(leaseUntilUs);
      expect((await renew(sessionId, 3)).pingEcho).toBe(5);
      expect((await renew(sessionId, 8)).pingEcho).toBe(8);
    });

    it('shortens a lease, and sets back a heartbeat, that were written while the clock was an hour ahead', async () => {
      const { sessionId } = await openWorker(context);
      await sql(
        context,
        `UPDATE sessions SET lease_until = lease_until + interval '1 hour', beat_time = beat_time + interval '1 hour' WHERE session_id = '${sessionId}'`,
      );
      const ahead = await read(sessionId);
      // The clock of the replica is still ahead.
      await context.store.renewSessions([beat(sessionId)], 60_000, ahead.beatTimeUs);
      expect(await read(sessionId)).toMatchObject({ leaseUntilUs: ahead.leaseUntilUs, beatTimeUs: ahead.beatTimeUs });
      await renew(sessionId);
      const after = await read(sessionId);
      const nowUs = await context.store.nowUs();
      expect(after.leaseUntilUs - after.beatTimeUs).toBe(60_000_000);
      expect(Math.abs(after.beatTimeUs - nowUs)).toBeLessThan(30e6);
    });

    it('stores draining as in the last heartbeat', async () => {
      const { sessionId } = await openWorker(context);
      expect((await renew(sessionId, 0, true)).draining).toBe(true);
      expect((await read(sessionId)).draining).toBe(true);
      expect((await renew(sessionId, 0, false)).draining).toBe(false);
    });

    it('renews a lapsed session that is still open', async () => {
      const { sessionId } = await openWorker(context);
      await lapse(context, sessionId, 30_000);
      await renew(sessionId);
      expect((await read(sessionId)).leaseUntilUs).toBeGreaterThan(await context.store.nowUs());
    });

    it('returns nothing for sessions that are not open, among others that are', async () => {
      const [open, closing] = [await openWorker(context), await openWorker(context)];
      await context.store.closeSessions([closing.sessionId], 'CLOSE');
      const beats = [closing.sessionId, randomUUID(), open.sessionId].map((id) => beat(id));
      expect(only(await context.store.renewSessions(beats, 1_000, 0)).sessionId).toBe(open.sessionId);
      expect((await read(closing.sessionId)).beats).toBe(0);
    });

    it('counts each of many concurrent heartbeats', async () => {
      const sessions = await Promise.all(Array.from({ length: 10 }, () => openWorker(context)));
      const ids = sessions.map((session) => session.sessionId);
      await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          context.store.renewSessions(
            (i % 2 ? [...ids].reverse() : ids).map((id) => beat(id, i)),
            60_000,
            0,
          ),
        ),
      );
      const rows = await context.store.readSessions(ids);
      expect(rows.map((row) => [row.beats, row.pingEcho])).toEqual(ids.map(() => [8, 7]));
    });
  });

  describe('closing a session', () => {
    it('sets CLOSING first, and CLOSED when all jobs are requeued', async () => {
      const [held] = await holdMany(context, 1);
      const sessionId = held?.sessionId as string;
      expect(await context.store.endSessions([sessionId])).toEqual([]);
      expect(await context.store.closeSessions([sessionId, randomUUID()], 'CLOSE')).toEqual([sessionId]);
      expect((await read(sessionId)).state).toBe('CLOSING');
      expect(await context.store.closeSessions([sessionId], 'LAPSE')).toEqual([]);
      expect(await context.store.endSessions([sessionId])).toEqual([]);
      await context.store.change({ by: 'session', sessionId, limit: 9 }, (run, nowUs) =>
        decideSessionEnd(run, 'CLOSE', { nowUs, random: 0 }),
      );
      expect(await context.store.endSessions([sessionId])).toEqual([sessionId]);
      expect((await read(sessionId)).state).toBe('CLOSED');
      expect(await context.store.endSessions([sessionId])).toEqual([]);
    });

    it('skips sessions whose lease has not ended long enough ago', async () => {
      const [fresh, lapsed, longLapsed] = [
        await openWorker(context),
        await openWorker(context),
        await openWorker(context),
      ];
      await lapse(context, lapsed.sessionId, 1_000);
      await lapse(context, longLapsed.sessionId, 20_000);
      const ids = [fresh.sessionId, lapsed.sessionId, longLapsed.sessionId];
      expect(await context.store.closeSessions(ids, 'MASS_LAPSE', 15_000)).toEqual([longLapsed.sessionId]);
      expect(await context.store.closeSessions(ids, 'LAPSE', 0)).toEqual([lapsed.sessionId]);
      expect((await read(fresh.sessionId)).state).toBe('OPEN');
    });
  });

  describe('leases that end more than two leases from now', () => {
    it('are shortened to one', async () => {
      const [long, usual] = [await openWorker(context), await openWorker(context)];
      await sql(
        context,
        `UPDATE sessions SET lease_until = lease_until + interval '1 hour' WHERE session_id = '${long.sessionId}'`,
      );
      expect((await context.store.readLapsed(FAR_US)).latestLeaseUs).toBeGreaterThan(long.leaseUntilUs);
      expect(await context.store.shortenLeases(60_000, long.openTimeUs + 3_600_000_000)).not.toContain(long.sessionId);
      expect(await context.store.shortenLeases(60_000, 0)).toContain(long.sessionId);
      const endsIn = (await read(long.sessionId)).leaseUntilUs - (await context.store.nowUs());
      expect(endsIn).toBeGreaterThan(0);
      expect(endsIn).toBeLessThanOrEqual(60_000_000);
      expect((await read(usual.sessionId)).leaseUntilUs).toBe(usual.leaseUntilUs);
    });
  });

  describe('the reads of lapsed and of closing sessions', () => {
    beforeEach(() => emptyTables(context));

    it('return them, and how many are open', async () => {
      const empty = await context.store.readLapsed(FAR_US);
      expect(empty).toMatchObject({ lapsed: [], lapsedCount: 0, openCount: 0 });
      expect(await context.store.readClosing()).toEqual({ closing: [], hasMore: false });
      expect(Math.abs(empty.nowUs - (await context.store.nowUs()))).toBeLessThan(10e6);
      const sessions = await Promise.all(Array.from({ length: 7 }, () => openWorker(context)));
      const [, lapsed, closed, lapsing, massive, lost, ended] = sessions.map((session) => session.sessionId) as [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
      ];
      await lapse(context, lapsed, 1_000);
      await context.store.closeSessions([closed], 'CLOSE');
      await context.store.closeSessions([lapsing], 'LAPSE');
      await context.store.closeSessions([massive], 'MASS_LAPSE');
      await context.store.closeSessions([lost], 'WORKER_LOST');
      await context.store.closeSessions([ended], 'CLOSE');
      await context.store.endSessions([ended]);
      const found = await context.store.readLapsed(FAR_US);
      expect(found).toMatchObject({ openCount: 2, lapsedCount: 1 });
      expect(only(found.lapsed)).toEqual({ sessionId: lapsed, leaseUntilUs: (await read(lapsed)).leaseUntilUs });
      const closing = [
        { sessionId: closed, how: 'CLOSE' },
        { sessionId: lapsing, how: 'LAPSE' },
        { sessionId: massive, how: 'MASS_LAPSE' },
        { sessionId: lost, how: 'WORKER_LOST' },
      ].sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
      expect(await context.store.readClosing()).toEqual({ closing, hasMore: false });
    });

    it('count more than the 1,000 of a page', async () => {
      const { sessionId } = await openWorker(context);
      const others = `SELECT (jsonb_populate_record(NULL::sessions, to_jsonb(s) || jsonb_build_object(
        'session_id', gen_random_uuid(), 'request_id', NULL, 'state', CASE WHEN n <= 1001 THEN 2 ELSE 1 END, 'close_cause', CASE WHEN n <= 1001 THEN 1 END,
        'lease_until', muster_now() - n * interval '1 s'))).* FROM sessions s, generate_series(1, 2002) AS n`;
      await sql(context, `INSERT INTO sessions ${others} WHERE session_id = '${sessionId}'`);
      const { lapsed, lapsedCount, openCount } = await context.store.readLapsed(FAR_US);
      expect({ lapsedCount, openCount }).toEqual({ lapsedCount: 1_001, openCount: 1_002 });
      expect(lapsed).toHaveLength(1_000);
      expect(lapsed).toEqual([...lapsed].sort((a, b) => a.leaseUntilUs - b.leaseUntilUs));
      const { closing, hasMore } = await context.store.readClosing();
      expect([closing.length, hasMore]).toEqual([1_000, true]);
    });
  });
}
