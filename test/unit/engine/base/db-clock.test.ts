/** A replica's view of the database's clock: steps are detected, reported and outlived. */
import { beforeEach, describe, expect, it } from 'vitest';
import { DbClock } from '../../../../server/engine/base/db-clock.ts';
import type { Log } from '../../../../server/engine/ports/ports.ts';
import { VirtualTime } from './virtual-time.ts';

const HOUR_US = 3_600_000_000;
const START_US = Date.UTC(2026, 0, 1) * 1_000;

let time: VirtualTime;
let clock: DbClock;
/** What somebody has added to the database's clock. */
let addedUs: number;
let errors: { facts: Record<string, unknown>; message: string }[];

const realUs = () => START_US + time.now() * 1_000;
const refresh = () => clock.refresh({ nowUs: async () => realUs() + addedUs });

async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await time.advance(1_000);
    await refresh();
  }
}

beforeEach(async () => {
  time = new VirtualTime();
  addedUs = 0;
  errors = [];
  const log = {
    info: () => {},
    warn: () => {},
    error: (facts, message) => void errors.push({ facts, message }),
  } as Log;
  clock = new DbClock(time, log);
  await refresh();
});

describe.each([HOUR_US, -HOUR_US])('a step of the clock of the database by %i µs', (stepUs) => {
  it('that is over after three seconds changes nothing, and is logged once with both times', async () => {
    addedUs = stepUs;
    await pass(3);
    expect(clock.isSteady).toBe(false);
    expect(clock.nowUs()).toBe(realUs());
    addedUs = 0;
    await pass(1);
    expect({ steady: clock.isSteady, now: clock.nowUs(), steps: clock.steps }).toEqual({
      steady: true,
      now: realUs(),
      steps: 1,
    });
    expect(errors).toHaveLength(1);
    const [{ facts }] = errors as [(typeof errors)[number]];
    const { expected, read } = facts as { expected: string; read: string };
    expect((Date.parse(read) - Date.parse(expected)) * 1_000).toBe(stepUs);
  });

  it('that lasts is accepted after ten seconds', async () => {
    addedUs = stepUs;
    await pass(10);
    expect({ steady: clock.isSteady, now: clock.nowUs() }).toEqual({ steady: false, now: realUs() });
    await pass(1);
    expect({ steady: clock.isSteady, now: clock.nowUs() }).toEqual({ steady: true, now: realUs() + stepUs });
    await pass(1);
    expect(clock.nowUs()).toBe(realUs() + stepUs);
    expect(errors.map(({ message }) => message)[1]).toMatch(/is accepted/);
  });

  it('is not accepted while the new time changes, nor for two readings with a long gap between them', async () => {
    for (let second = 1; second < 30; second++) {
      addedUs = stepUs + second * 5_000_000;
      await pass(1);
    }
    expect({ steady: clock.isSteady, now: clock.nowUs() }).toEqual({ steady: false, now: realUs() });
    await time.advance(60_000);
    await refresh();
    expect({ steady: clock.isSteady, now: clock.nowUs() }).toEqual({ steady: false, now: realUs() });
  });

  it('is not trusted where a statement reads it', async () => {
    expect(clock.trusted(realUs() + 3_000_000)).toBe(realUs() + 3_000_000);
    expect(clock.trusted(realUs() + stepUs)).toBe(realUs());
    addedUs = stepUs;
    await pass(1);
    expect(clock.trusted(realUs() + stepUs)).toBe(realUs());
  });
});

describe('the clock of the database', () => {
  it('is followed when it drifts, and when its answers are slow', async () => {
    for (let second = 0; second < 100; second++) {
      addedUs += 500_000;
      await pass(1);
    }
    expect({ steps: clock.steps, now: clock.nowUs() }).toEqual({ steps: 0, now: realUs() + addedUs });
    await clock.refresh({
      nowUs: async () => {
        await time.advance(4_000);
        return realUs() + addedUs;
      },
    });
    expect(clock.steps).toBe(0);
  });

  it('is not moved by a slow answer after a fast one', async () => {
    const readAtOnce = async () => {
      const readUs = realUs();
      await time.advance(1_500);
      return readUs;
    };
    await clock.refresh({ nowUs: readAtOnce });
    expect({ steps: clock.steps, now: clock.nowUs() }).toEqual({ steps: 0, now: realUs() });
    await time.advance(120_000);
    await clock.refresh({ nowUs: readAtOnce });
    expect(clock.nowUs()).toBe(realUs() - 750_000);
  });
});
