/** A case that failed on a busy machine runs again, alone. Any other failure is final. */
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { Case } from '../../../server/tools/conformance/case.ts';
import type { KitOptions } from '../../../server/tools/conformance/case-run.ts';
import { NotOffered, Unfulfilled } from '../../../server/tools/conformance/failures.ts';
import type { Bus } from '../../../server/tools/conformance/plane/bus.ts';
import { runCases } from '../../../server/tools/conformance/run-kit.ts';
import { act } from '../../../server/tools/conformance/steps/life.ts';

/** No case in this file talks to a worker. */
const noBus = { port: 1 } as Bus;

/** One run of a case: whether it fails, and the disturbance seen during it. */
interface Run {
  readonly fails?: boolean;
  readonly seen?: string;
}

class Script {
  readonly one: Case;
  readonly #runs: Run[];
  count = 0;
  /** For each run, how many cases ran at that moment, itself included. */
  readonly concurrent: number[] = [];
  static under = 0;

  constructor(name: string, runs: Run[]) {
    this.#runs = runs;
    const run = async () => {
      Script.under++;
      this.count++;
      await new Promise((resolve) => setTimeout(resolve, 20));
      this.concurrent.push(Script.under);
      Script.under--;
      if (this.run.fails) throw new Unfulfilled(`run ${this.count} failed`);
    };
    this.one = { name, rule: 'Calls', proves: 'A test.', steps: [act('runs', run)] };
  }

  get run(): Run {
    return this.#runs[this.count - 1] ?? {};
  }
}

async function outcome(scripts: readonly Script[], more: Partial<KitOptions> = {}) {
  const reported: string[] = [];
  const { signal } = new AbortController();
  const watch = () => ({
    seen: () => scripts.find(({ count, run }) => count > 0 && run.seen)?.run.seen,
    close: () => {},
  });
  const cases = scripts.map(({ one }) => one);
  const onDisturbed: KitOptions['onDisturbed'] = ({ one, disturbances }) =>
    reported.push(`${one.name}: ${disturbances.at(-1)}`);
  const base = { command: [], cases, seed: 1, parallel: 1, signal, watch, onResult: () => {}, onDisturbed };
  const results = await runCases({ ...base, ...more }, noBus);
  return { results, reported };
}

const busy = { fails: true, seen: 'the loop was late' };

describe('a failed case', () => {
  it('is not run again when nothing disturbed it', async () => {
    const script = new Script('a', [{ fails: true }]);
    const { results, reported } = await outcome([script]);
    expect([script.count, reported]).toEqual([1, []]);
    expect(results).toMatchObject([{ verdict: 'failed', why: 'run 1 failed', disturbances: [] }]);
  });

  it('passes when it passes alone', async () => {
    const script = new Script('a', [busy, {}]);
    const { results, reported } = await outcome([script]);
    expect([script.count, reported]).toEqual([2, ['a: the loop was late']]);
    expect(results).toMatchObject([{ verdict: 'passed', why: '', step: '', disturbances: ['the loop was late'] }]);
  });

  it('stays failed when it fails alone without a disturbance', async () => {
    const script = new Script('a', [busy, { fails: true }, {}]);
    const { results } = await outcome([script]);
    expect(script.count).toBe(2);
    expect(results).toMatchObject([{ verdict: 'failed', why: 'run 2 failed', disturbances: ['the loop was late'] }]);
  });

  it('is run again at most twice, and then fails as disturbed', async () => {
    const script = new Script('a', [busy, busy, { fails: true, seen: 'it was very late' }, {}]);
    const { results, reported } = await outcome([script]);
    expect([script.count, reported.length]).toEqual([3, 2]);
    expect(results).toMatchObject([
      {
        verdict: 'failed',
        why: 'run 3 failed; disturbed to the end: it was very late',
        disturbances: ['the loop was late', 'the loop was late', 'it was very late'],
      },
    ]);
  });

  it('runs again after all other cases have ended', async () => {
    const script = new Script('a', [busy, {}]);
    const others = ['b', 'c', 'd'].map((name) => new Script(name, []));
    const { results } = await outcome([script, ...others], { parallel: 4 });
    expect(results.map(({ one }) => one.name).at(-1)).toBe('a');
    expect(script.concurrent).toEqual([expect.any(Number), 1]);
    expect(script.concurrent[0]).toBeGreaterThan(1);
  });

  it('is not run again when twenty cases were disturbed before it', async () => {
    const scripts = Array.from({ length: 22 }, (_, at) => new Script(`a${at}`, [busy, {}]));
    const { results } = await outcome(scripts);
    expect(scripts.map(({ count }) => count)).toEqual([...Array(20).fill(2), 1, 1]);
    expect(results.filter(({ verdict }) => verdict === 'failed').map(({ one }) => one.name)).toEqual(['a20', 'a21']);
  });
});

it('a case that passed or was not offered is never run again', async () => {
  const passes = new Script('a', [{ seen: 'the loop was late' }]);
  const lacks: Case = {
    name: 'b',
    rule: 'Calls',
    proves: 'A test.',
    steps: [
      act('asks', () => {
        throw new NotOffered('it has none');
      }),
    ],
  };
  const { results } = await outcome([passes, { one: lacks } as Script]);
  expect(passes.count).toBe(1);
  expect(results).toMatchObject([
    { verdict: 'passed', disturbances: [] },
    { verdict: 'not offered', disturbances: [] },
  ]);
});

it('the kit detects a loop that is really blocked', async () => {
  let runs = 0;
  const blocks = act('blocks the loop', () => {
    runs++;
    const end = performance.now() + (runs === 1 ? 600 : 0);
    while (performance.now() < end);
    if (runs === 1) throw new Unfulfilled('it came late');
  });
  const one: Case = { name: 'a', rule: 'Calls', proves: 'A test.', steps: [blocks] };
  const { signal } = new AbortController();
  const options = { command: [], cases: [one], seed: 1, parallel: 1, signal, onResult: () => {} };
  const [result] = await runCases(options, noBus);
  const late = expect.stringMatching(/^the kit's own loop was ([5-9]\d\d|\d{4,}) ms late/);
  expect(result).toMatchObject({ verdict: 'passed', disturbances: [late] });
});

it('a case that can not be set up ends the run, and leaves its turn to others', async () => {
  const terms = {
    get leaseMs(): number {
      throw new Error('no lease');
    },
  };
  const broken = { ...new Script('broken', []).one, terms };
  for (let time = 0; time <= Math.max(2, availableParallelism()); time++)
    await expect(outcome([], { cases: [broken] })).rejects.toThrow('no lease');
  expect((await outcome([new Script('a', [{}])])).results).toMatchObject([{ verdict: 'passed' }]);
});
