/** Lapsed sessions: when they are closed, and how closing ones are released. */
import { describe, expect, it } from 'vitest';
import { DbClock } from '../../../../server/engine/base/db-clock.ts';
import { Loop } from '../../../../server/engine/loop.ts';
import { Lapses, type LapsesParts } from '../../../../server/engine/upkeep/lapses.ts';
import { constantRandom, settle, VirtualTime } from '../base/virtual-time.ts';

const LEASE_MS = 15_000;
const EVERY_MS = 1_000;
const silent = { info() {}, warn() {}, error() {} };

/** A database whose answers take `trip.ms`, with sessions that lapse at a time. */
function deployment(tripMs: number) {
  const time = new VirtualTime();
  const trip = { ms: tripMs, fails: false, aheadMs: 0 };
  const nowMs = () => time.now() + trip.aheadMs;
  const answer = async <T>(get: () => T): Promise<T> => {
    if (trip.ms > 0) await new Promise<void>((resolve) => time.after(trip.ms, resolve));
    if (trip.fails) throw new Error('the database is away');
    return get();
  };
  const open = new Map<string, number>();
  const closedAt = new Map<string, number>();
  const lapsedNow = () => [...open].filter(([, atMs]) => atMs <= nowMs());
  const shortened = new Map<string, number>();
  const store: LapsesParts['store'] = {
    nowUs: () => answer(() => nowMs() * 1_000),
    readLapsed: () =>
      answer(() => ({
        lapsed: lapsedNow().map(([sessionId, atMs]) => ({ sessionId, leaseUntilUs: atMs * 1_000 })),
        ...{ lapsedCount: lapsedNow().length, openCount: open.size, nowUs: nowMs() * 1_000 },
        latestLeaseUs: open.size > 0 ? Math.max(...open.values()) * 1_000 : undefined,
      })),
    shortenLeases: (leaseMs) =>
      answer(() => {
        const long = [...open].filter(([, atMs]) => atMs > nowMs() + 2 * leaseMs);
        for (const [sessionId] of long) {
          open.set(sessionId, nowMs() + leaseMs);
          shortened.set(sessionId, nowMs());
        }
        return long.map(([sessionId]) => sessionId);
      }),
    readClosing: () => answer(() => ({ closing: [], hasMore: false })),
  };
  const startClosing = (sessionIds: readonly string[]) =>
    answer(() => {
      for (const sessionId of sessionIds) closedAt.set(sessionId, time.now());
      return sessionIds.filter((sessionId) => open.delete(sessionId));
    });
  const lapses = new Lapses({
    ...{ store, dbClock: new DbClock(time), clock: time, log: silent, leaseMs: LEASE_MS, everyMs: 1.1 * EVERY_MS },
    sessions: { startClosing, free: async () => {} },
    onClosing: () => {},
  });
  const random = constantRandom(1);
  const run = () => lapses.closeLapsed();
  const loop = new Loop({ name: 'sessions', everyMs: EVERY_MS, run, timers: time, random, log: silent });
  return { time, trip, open, closedAt, shortened, loop };
}

describe('a lapsed session', () => {
  it.each([0, 10, 50, 120, 500, 1_500, 4_900])(
    'is closed within a sweep and four round trips of %i ms each',
    async (tripMs) => {
      const { time, open, closedAt, loop } = deployment(tripMs);
      loop.start();
      await time.advance(LEASE_MS + 5_000);
      const lapsesAt = Array.from({ length: 10 }, (_, i) => time.now() + 137 + i * 3_411);
      for (const [i, atMs] of lapsesAt.entries()) open.set(`session-${i}`, atMs);
      await time.advance(60_000);
      for (const [i, atMs] of lapsesAt.entries())
        expect((closedAt.get(`session-${i}`) as number) - atMs).toBeLessThanOrEqual(1.1 * EVERY_MS + 4 * tripMs);
    },
  );

  it.each(['does not answer', 'answers late'])(
    'is closed a whole lease after the database %s, and not before',
    async (fault) => {
      const { time, trip, open, closedAt, loop } = deployment(0);
      loop.start();
      await time.advance(LEASE_MS + 5_000);
      Object.assign(trip, fault === 'answers late' ? { ms: 5_500 } : { fails: true });
      await time.advance(10_000);
      open.set('session', time.now());
      Object.assign(trip, { ms: 0, fails: false });
      const healedAt = time.now();
      await time.advance(LEASE_MS + 10_000);
      const tookMs = (closedAt.get('session') as number) - healedAt;
      expect(tookMs).toBeGreaterThanOrEqual(LEASE_MS - 1);
      expect(tookMs).toBeLessThanOrEqual(LEASE_MS + 5_500 + 2.2 * EVERY_MS);
    },
  );

  it.each([3_600_000, -3_600_000])(
    'is not closed by a clock of the database that is %i ms ahead for three seconds, but a whole lease afterwards',
    async (aheadMs) => {
      const { time, trip, open, closedAt, loop } = deployment(10);
      loop.start();
      await time.advance(LEASE_MS + 5_000);
      open.set('healthy', time.now() + 60_000);
      trip.aheadMs = aheadMs;
      await time.advance(3_000);
      // A lease that was renewed before the step was seen, with an hour too little, or one that has lapsed meanwhile.
      open.set('lapsed', time.now() - 3_600_000);
      trip.aheadMs = 0;
      const backAt = time.now();
      await time.advance(LEASE_MS + 5_000);
      expect([...closedAt.keys()]).toEqual(['lapsed']);
      const tookMs = (closedAt.get('lapsed') as number) - backAt;
      expect(tookMs).toBeGreaterThanOrEqual(LEASE_MS - 1);
      expect(tookMs).toBeLessThanOrEqual(LEASE_MS + 2.2 * EVERY_MS + 40);
    },
  );

  it('is closed within two leases if its lease was written while the clock of the database was an hour ahead', async () => {
    const { time, trip, open, closedAt, shortened, loop } = deployment(10);
    loop.start();
    await time.advance(LEASE_MS + 5_000);
    trip.aheadMs = 3_600_000;
    await time.advance(2_000);
    open.set('dead', time.now() + 3_600_000 + LEASE_MS);
    await time.advance(1_000);
    trip.aheadMs = 0;
    const backAt = time.now();
    await time.advance(3 * LEASE_MS);
    expect([...shortened.keys()]).toEqual(['dead']);
    expect((closedAt.get('dead') as number) - backAt).toBeLessThanOrEqual(2 * LEASE_MS + 3 * EVERY_MS);
  });

  it('is closed a whole lease after its replica was suspended, and not before', async () => {
    const { time, open, closedAt, loop } = deployment(0);
    loop.start();
    await time.advance(LEASE_MS + 5_000);
    time.suspend(10_000);
    open.set('session', time.now());
    const resumedAt = time.now();
    await time.advance(LEASE_MS + 5_000);
    expect((closedAt.get('session') as number) - resumedAt).toBeGreaterThanOrEqual(LEASE_MS);
  });
});

describe('closing sessions', () => {
  it('are released four at a time, also if one of them fails', async () => {
    const closing = Array.from({ length: 10 }, (_, i) => ({ sessionId: `session-${i}`, how: 'LAPSE' as const }));
    const freed: string[] = [];
    let atOnce = 0;
    let maxAtOnce = 0;
    const free = async (sessionId: string) => {
      maxAtOnce = Math.max(maxAtOnce, ++atOnce);
      await settle();
      atOnce--;
      if (sessionId === 'session-2') throw new Error('cannot be released');
      freed.push(sessionId);
    };
    const time = new VirtualTime();
    const lapses = new Lapses({
      store: {
        nowUs: async () => 0,
        readLapsed: async () => ({ lapsed: [], lapsedCount: 0, openCount: 0, nowUs: 0, latestLeaseUs: undefined }),
        shortenLeases: async () => [],
        readClosing: async () => ({ closing, hasMore: true }),
      },
      ...{ dbClock: new DbClock(time), clock: time, log: silent, leaseMs: LEASE_MS, everyMs: EVERY_MS },
      sessions: { startClosing: async () => [], free },
      onClosing: () => {},
    });
    await expect(lapses.freeClosing()).rejects.toThrow('cannot be released');
    expect(freed).toHaveLength(9);
    expect(maxAtOnce).toBe(4);
  });
});
