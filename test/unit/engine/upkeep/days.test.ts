/** The partitions of the days ahead: made each hour, and no failure of them matters to anyone else. */
import { describe, expect, it } from 'vitest';
import { Days } from '../../../../server/engine/upkeep/days.ts';
import { constantRandom, VirtualTime } from '../base/virtual-time.ts';

const MINUTE_MS = 60_000;
const inTheWay = () => Object.assign(new Error('canceling statement due to lock timeout'), { code: '55P03' });

function makeDays(failures: number) {
  const time = new VirtualTime();
  const tries: number[] = [];
  const logged: string[] = [];
  const write = (level: string) => (facts: object, message: string) =>
    void logged.push(`${level}: ${JSON.stringify(facts)} ${message}`);
  const log = { info: write('info'), warn: write('warn'), error: write('error') };
  const store = {
    ensurePartitions: async () => {
      tries.push(time.now() - 1_000);
      if (tries.length <= failures) throw inTheWay();
    },
  };
  return { time, tries, logged, days: new Days({ store, timers: time, random: constantRandom(0.5), log }) };
}

describe('the partitions of the days ahead', () => {
  it('are made at the start and then each hour', async () => {
    const { time, tries, logged, days } = makeDays(0);
    await days.make();
    days.start();
    await time.advance(121 * MINUTE_MS);
    expect(tries).toEqual([0, 60 * MINUTE_MS, 120 * MINUTE_MS]);
    expect(logged).toEqual([]);
  });

  it('fail no start, and are tried again after growing pauses', async () => {
    const { time, tries, logged, days } = makeDays(9);
    await days.make();
    days.start();
    await time.advance(120 * MINUTE_MS);
    const pauses = tries.slice(1).map((ms, i) => (ms - (tries[i] ?? 0)) / 1_000);
    expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 320, 600, 600, 3_600]);
    expect(logged).toHaveLength(9);
    expect(logged[1]).toContain(
      'warn: {"error":"Error: canceling statement due to lock timeout","failures":2,"nextTryMs":10000}',
    );
  });

  it('stop with the replica', async () => {
    const { time, tries, days } = makeDays(0);
    await days.make();
    days.start();
    await days.stop();
    await time.advance(121 * MINUTE_MS);
    expect(tries).toEqual([0]);
  });
});
