/** Rounds that delete expired data. */
import { describe, expect, it } from 'vitest';
import type { Cleared, RoundBounds } from '../../../../server/engine/ports/upkeep.ts';
import { retentionLoop } from '../../../../server/engine/upkeep/retention.ts';
import { constantRandom, VirtualTime } from '../base/virtual-time.ts';

const nothing: Cleared = { days: 0, jobs: 0, rows: 0, more: false };
const much: Cleared = { days: 1, jobs: 50_000, rows: 0, more: true };

function start(...answers: (Cleared | Error)[]) {
  const time = new VirtualTime();
  const rounds: number[] = [];
  const logged: string[] = [];
  const write = (level: string) => (_: unknown, message: string) => void logged.push(`${level}: ${message}`);
  const log = { info: write('info'), warn: write('warn'), error: write('error') };
  const store = {
    clearExpired: async ({ latestUs }: RoundBounds = {}) => {
      expect(latestUs).toBe(time.now() * 1000);
      rounds.push(time.now() - 1_000);
      const answer = answers.shift() ?? nothing;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const dbClock = { isSteady: true, nowUs: () => time.now() * 1000 };
  const retention = retentionLoop({ store, dbClock, timers: time, random: constantRandom(0.5), log });
  retention.start();
  return { time, rounds, logged, dbClock, retention };
}

describe('retention rounds', () => {
  it('run once a minute, and log nothing when there was nothing to delete', async () => {
    const { time, rounds, logged } = start();
    await time.advance(200_000);
    expect(rounds).toEqual([30_000, 90_000, 150_000]);
    expect(logged).toEqual([]);
  });

  it('follow sooner while there is more', async () => {
    const { time, rounds, logged } = start(much, much, nothing);
    await time.advance(120_000);
    expect(rounds).toEqual([30_000, 35_000, 40_000, 100_000]);
    expect(logged).toEqual(Array(2).fill('info: deleted jobs past their retention'));
  });

  it('continue after a failed one', async () => {
    const { time, rounds, logged } = start(new Error('gone'));
    await time.advance(100_000);
    expect(rounds).toEqual([30_000, 90_000]);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('warn');
  });

  it('delete nothing while the clock of the database has stepped, and soon after that', async () => {
    const { time, rounds, dbClock } = start();
    dbClock.isSteady = false;
    await time.advance(60_000);
    expect(rounds).toEqual([]);
    dbClock.isSteady = true;
    await time.advance(5_000);
    expect(rounds).toEqual([65_000]);
  });

  it('stop with the replica', async () => {
    const { time, rounds, retention } = start();
    await time.advance(60_000);
    await retention.stop();
    await time.advance(600_000);
    expect(rounds).toEqual([30_000]);
  });
});
