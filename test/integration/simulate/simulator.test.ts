/** The simulator runs the real engine: limits, priorities, slots and retries have their exact effect in virtual time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Simulator } from '../../../server/tools/simulate/run-simulation.ts';
import { SimulationRefusal } from '../../../server/tools/simulate/scenario.ts';
import { arrivalsOf, scenarioOf, simulate } from './scenarios.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
let simulator: Simulator;

beforeAll(async () => {
  simulator = await Simulator.open();
}, 120_000);

afterAll(() => simulator?.close());

const keyed = (maxConcurrency: number) => ({
  name: 'work',
  keyLimit: { key: 'labels.tenant', maxConcurrency },
});
const ofTenants = (...tenants: string[]) => arrivalsOf(tenants.map((tenant) => ({ labels: { tenant } })));

describe('a simulated limit', () => {
  it('of one for a key runs its jobs one after another, and delays no others', async () => {
    const scenario = scenarioOf({ definitions: [keyed(1)], slots: 10 });
    const { starts, report } = await simulate(simulator, scenario, ofTenants('a', 'a', 'b', 'a'));
    expect(starts.flat().toSorted((a, b) => a - b)).toEqual([0, 0, 1_000, 2_000]);
    expect(starts[2]).toEqual([0]);
    expect(report.spanMs).toBe(3_000);
    expect(report.keys.map(({ name, mostAtOnce, longestQueue }) => [name, mostAtOnce, longestQueue])).toEqual([
      ['work a', 1, 2],
      ['work b', 1, 0],
    ]);
    // Two jobs wait a second, and one of them another one.
    expect(report.all.heldBackMs).toEqual({ key: 3_000, definition: 0, queue: 0, workers: 0, rate: 0, other: 0 });
    expect(report.keys[0]?.heldBackMs.key).toBe(3_000);
  });

  it('of two lets two jobs of a key run at once', async () => {
    const { starts } = await simulate(
      simulator,
      scenarioOf({ definitions: [keyed(2)], slots: 10 }),
      ofTenants('a', 'a', 'a', 'a'),
    );
    expect(starts.flat().toSorted((a, b) => a - b)).toEqual([0, 0, 1_000, 1_000]);
  });

  it('is distinguished by kind: queue, definition, slots', async () => {
    const arrivals = arrivalsOf([{}, {}, {}]);
    const held = async (scenario: Parameters<typeof scenarioOf>[0]) =>
      (await simulate(simulator, scenarioOf(scenario), arrivals)).report.all.heldBackMs;
    const none = { key: 0, definition: 0, queue: 0, workers: 0, rate: 0, other: 0 };
    const queues = [{ name: 'default', maxConcurrency: 1 }];
    expect(await held({ queues, slots: 5 })).toEqual({ ...none, queue: 3_000 });
    expect(await held({ definitions: [{ name: 'work', maxConcurrency: 1 }], slots: 5 })).toEqual({
      ...none,
      definition: 3_000,
    });
    expect(await held({ slots: 1 })).toEqual({ ...none, workers: 3_000 });
    expect(await held({ slots: 3 })).toEqual(none);
  });

  it('of a rate is kept by the second, also after days without jobs', async () => {
    const queues = [{ name: 'default', rateLimit: { units: 1, period: '60s', burst: 1 } }];
    const arrivals = arrivalsOf([{}, {}, {}, { atMs: 48 * HOUR }, { atMs: 48 * HOUR }]);
    for (const seed of [1, 2, 3]) {
      const { starts, report } = await simulate(simulator, scenarioOf({ queues, slots: 5 }), arrivals, seed);
      const seconds = starts
        .flat()
        .map((ms) => Math.round(ms / 1_000))
        .toSorted((a, b) => a - b);
      expect(seconds).toEqual([0, 60, 120, 172_800, 172_860]);
      expect(report.all.heldBackMs.rate).toBeGreaterThan(239_000);
    }
  });

  it('refuses or replaces jobs if its policy says so', async () => {
    const policy = (name: string) =>
      scenarioOf({ definitions: [{ name: 'work', keyLimit: { maxConcurrency: 1, policy: name } }], slots: 9 });
    const three = arrivalsOf([{}, { atMs: 100 }, { atMs: 200 }]);
    expect((await simulate(simulator, policy('LIMIT_POLICY_REJECT_NEW'), three)).states).toEqual([
      'SUCCEEDED',
      'LIMIT_REACHED',
      'LIMIT_REACHED',
    ]);
    const replaced = await simulate(simulator, policy('LIMIT_POLICY_REPLACE_WAITING'), three);
    expect(replaced.states).toEqual(['SUCCEEDED', 'CANCELLED', 'SUCCEEDED']);
    expect(replaced.starts.slice(0, 2)).toEqual([[0], []]);
    // A job behind a cancelled one may be found only in the next round.
    expect(replaced.starts[2]?.[0]).toBeGreaterThanOrEqual(1_000);
    expect(replaced.starts[2]?.[0]).toBeLessThan(2_200);
    const oldest = await simulate(simulator, policy('LIMIT_POLICY_CANCEL_OLDEST'), three);
    expect(oldest.states).toEqual(['CANCELLED', 'CANCELLED', 'SUCCEEDED']);
  });
});

describe('simulated waiting', () => {
  it('follows the priority', async () => {
    const first = { runMs: 10_000 };
    const low = { atMs: 1, priority: 0 };
    const high = { atMs: 2, priority: 50 };
    const { starts } = await simulate(simulator, scenarioOf({}), arrivalsOf([first, low, high]));
    expect(starts).toEqual([[0], [11_000], [10_000]]);
    const same = await simulate(simulator, scenarioOf({}), arrivalsOf([first, low, { ...high, priority: 0 }]));
    expect(same.starts).toEqual([[0], [10_000], [11_000]]);
  });

  it('is halved by twice the slots', async () => {
    const arrivals = arrivalsOf(Array.from({ length: 120 }, () => ({ runMs: 10_000 })));
    const wait = async (slots: number) => (await simulate(simulator, scenarioOf({ slots }), arrivals)).report;
    const [four, eight] = [await wait(4), await wait(8)];
    expect([four.spanMs, eight.spanMs]).toEqual([300_000, 150_000]);
    expect([four.all.wait?.max, eight.all.wait?.max]).toEqual([290_000, 140_000]);
    expect([four.all.wait?.p50, eight.all.wait?.p50]).toEqual([140_000, 70_000]);
    expect([four.all.longestQueue, eight.all.longestQueue]).toEqual([116, 112]);
    expect([four.workers[0]?.utilisation, eight.workers[0]?.utilisation]).toEqual([1, 1]);
  });

  it('is shared between keys in turns', async () => {
    const waitOf = async (fairnessKey: string | undefined) => {
      const many = Array.from({ length: 20 }, () => ({ fairnessKey: fairnessKey && 'big' }));
      const { starts } = await simulate(simulator, scenarioOf({}), arrivalsOf([...many, { atMs: 10, fairnessKey }]));
      return starts.at(-1)?.[0] ?? 0;
    };
    expect(await waitOf('small')).toBeLessThanOrEqual(4_000);
    expect(await waitOf(undefined)).toBe(20_000);
  });

  it('of a delayed job starts when it is due', async () => {
    const { starts, report } = await simulate(simulator, scenarioOf({}), arrivalsOf([{ delayMs: 7 * HOUR }]));
    expect(starts).toEqual([[7 * HOUR]]);
    expect(report.all.wait?.max).toBe(0);
  });

  it('considers resources, if jobs need those of their worker', async () => {
    const workers = [{ name: 'only', slots: 10, handlers: undefined, labels: {}, resources: { gpu: 1 } }];
    const takes = (gpu: number) => [{ name: 'work', demands: { resources: { gpu } } }];
    const reported = (gpu: number) =>
      simulate(simulator, scenarioOf({ definitions: takes(gpu), workers }), arrivalsOf([{ runMs: 60_000 }, {}]));
    const { starts, states, report } = await reported(1);
    expect(starts[0]).toEqual([0]);
    // Released resources are found by the next claim.
    expect(starts[1]?.[0]).toBeGreaterThanOrEqual(60_000);
    expect(starts[1]?.[0]).toBeLessThan(62_000);
    expect([states, report.all.mostAtOnce]).toEqual([['SUCCEEDED', 'SUCCEEDED'], 1]);
    expect((await reported(0.5)).starts).toEqual([[0], [0]]);
    expect((await reported(2)).states).toEqual(['READY', 'READY']);
  });

  it('for a worker that never comes ends', async () => {
    const workers = [{ name: 'only', slots: 1, handlers: undefined, labels: { zone: 'b' }, resources: {} }];
    const definitions = [{ name: 'work', demands: { labels: { zone: 'a' } } }];
    const { states, report } = await simulate(simulator, scenarioOf({ definitions, workers }), arrivalsOf([{}]));
    expect([states, report.all.open]).toEqual([['READY'], 1]);
  });
});

describe('a simulated attempt', () => {
  const retryPolicy = { maxAttempts: 3, backoff: 'BACKOFF_CONSTANT', jitter: 'JITTER_NONE', minBackoff: '30s' };
  const scenario = scenarioOf({ definitions: [{ name: 'work', retryPolicy, runTimeout: '5s' }] });

  it('fails as often as the arrival says, and is retried after the backoff', async () => {
    const { starts, states, report } = await simulate(simulator, scenario, arrivalsOf([{ failures: 2 }]));
    expect([starts, states]).toEqual([[[0, 31_000, 62_000]], ['SUCCEEDED']]);
    expect([report.all.wait?.max, report.all.run?.max, report.all.attempts]).toEqual([0, 3_000, 3]);
  });

  it('fails for good if all attempts fail, and if it takes too long', async () => {
    const failed = await simulate(simulator, scenario, arrivalsOf([{ failures: Number.POSITIVE_INFINITY }]));
    expect([failed.states, failed.starts[0]?.length]).toEqual([['FAILED'], 3]);
    const late = await simulate(simulator, scenario, arrivalsOf([{ runMs: 60_000 }]));
    expect([late.states, late.starts]).toEqual([['FAILED'], [[0, 35_000, 70_000]]]);
  });
});

describe('simulated bounds and expiries', () => {
  it('refuse and end jobs as on a server', async () => {
    const queues = [{ name: 'default', maxBacklog: '3' }];
    const full = await simulate(
      simulator,
      scenarioOf({ queues }),
      arrivalsOf(Array.from({ length: 10 }, (_, at) => ({ atMs: 10 * at }))),
    );
    expect(full.report.all.refused.QUEUE_FULL).toBeGreaterThanOrEqual(5);
    expect(full.report.all.longestQueue).toBeLessThanOrEqual(4);
    const definitions = [{ name: 'work', queueTimeout: '1.500s' }];
    const expired = await simulate(simulator, scenarioOf({ definitions }), arrivalsOf([{}, {}, {}, {}]));
    expect(expired.report.all).toMatchObject({ succeeded: 2, expired: 2 });
  });
});

describe('given keys', () => {
  it('replace the expressions over an input', async () => {
    const definitions = [
      { name: 'work', fairnessKey: 'input.tenant', keyLimit: { key: 'input.tenant', maxConcurrency: 1 } },
    ];
    const given = { fairnessKey: 'x', limitKey: 'x' };
    const none = { fairnessKey: '', limitKey: '' };
    const scenario = scenarioOf({ definitions, slots: 9 });
    const { starts, report } = await simulate(simulator, scenario, arrivalsOf([given, given, none, none]));
    expect(starts.map((at) => at[0])).toEqual(expect.arrayContaining([0, 1_000]));
    expect(starts.slice(2)).toEqual([[0], [0]]);
    expect(report.keys.map(({ name }) => name)).toEqual(['work x']);
    // Without the limit its key is gone, too.
    const without = scenarioOf({ definitions: [{ name: 'work' }], slots: 9 });
    expect((await simulate(simulator, without, arrivalsOf([given, given]))).report.spanMs).toBe(1_000);
    const input = { tenant: 'y' };
    expect((await simulate(simulator, scenario, arrivalsOf([{ input }, { input }]))).report.spanMs).toBe(2_000);
  });
});

describe('a scenario that the API would refuse', () => {
  const refusal = async (scenario: Parameters<typeof scenarioOf>[0], arrivals = arrivalsOf([{}])) => {
    const error = await simulate(simulator, scenarioOf(scenario), arrivals).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SimulationRefusal);
    return (error as SimulationRefusal).details;
  };
  const checked = (scenario: Parameters<typeof scenarioOf>[0]) =>
    simulator.check(scenarioOf(scenario), arrivalsOf([{}]), new AbortController().signal);

  it('is refused by a check alone, which does not affect the next run', async () => {
    const run = async () => JSON.stringify(await simulate(simulator, scenarioOf({}), arrivalsOf([{}, {}])));
    const before = await run();
    await checked({ queues: [{ name: 'default', maxConcurrency: 1 }] });
    expect(await run()).toBe(before);
    await expect(checked({ queues: [{ name: 'Mails' }] })).rejects.toThrow(SimulationRefusal);
    expect(await run()).toBe(before);
  });

  it('is refused with its location', async () => {
    expect(await refusal({ definitions: [{ name: 'work', maxConcurrency: -1 }] })).toEqual([
      expect.stringMatching(/^definitions\[0\]\.max_concurrency: /),
    ]);
    expect(await refusal({ queues: [{ name: 'Mails' }] })).toEqual([expect.stringMatching(/^queues\[0\]\.name: /)]);
    const keyed = { definitions: [{ name: 'work', fairnessKey: 'input.tenant' }] };
    expect(await refusal(keyed, arrivalsOf([{ input: { tenant: 'a' } }, {}]))).toEqual([
      expect.stringMatching(/^line 2: input: gives no fairness_key by input\.tenant/),
    ]);
  });
});

describe('the seed', () => {
  it('determines the result, and another one can change it', async () => {
    const retryPolicy = { maxAttempts: 4, minBackoff: '1s', maxBackoff: '60s' };
    const scenario = scenarioOf({
      definitions: [{ name: 'work', retryPolicy, keyLimit: { key: 'labels.tenant', maxConcurrency: 2 } }],
      slots: 3,
    });
    const arrivals = arrivalsOf(
      Array.from({ length: 60 }, (_, at) => ({
        atMs: 200 * at,
        labels: { tenant: `t${at % 3}` },
        failures: at % 4,
        runMs: 300 + 17 * at,
      })),
    );
    const reported = async (seed: number) => JSON.stringify(await simulate(simulator, scenario, arrivals, seed));
    const [first, again, other] = [await reported(7), await reported(7), await reported(8)];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });
});

describe('idle time', () => {
  it('costs no simulation time: a job per day for a month, with limits', async () => {
    const arrivals = arrivalsOf(Array.from({ length: 30 }, (_, day) => ({ atMs: 24 * HOUR * day, runMs: 6 * HOUR })));
    const { starts, report } = await simulate(
      simulator,
      scenarioOf({ definitions: [{ name: 'work', maxConcurrency: 1, runTimeout: '36000s' }] }),
      arrivals,
    );
    expect(starts).toEqual(arrivals.map(({ atMs }) => [atMs]));
    expect(report.workers[0]?.utilisation).toBeCloseTo((30 * 6) / (29 * 24 + 6), 9);
  }, 60_000);
});
