/**
 * Each planted bug must be noticed within a bounded number of seeds; each runs in a process of its own. The seed that noticed it last is
 * tried first: `noticed-at.json` is only about time, and goes stale with the workload. Then all are searched.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { mutants } from './mutants/mutants.ts';
import noticedAt from './mutants/noticed-at.json' with { type: 'json' };
import { applyPatch } from './mutants/plant.ts';

const SEEDS = Number(process.env.MUSTER_MUTANT_SEEDS ?? 200);
const TIMEOUT = 30 * 60_000;
const script = fileURLToPath(new URL('./run.ts', import.meta.url));

interface Run {
  /** Exit code, or the signal that ended it. */
  readonly ended: number | string;
  readonly output: string;
}

function run(mutant: string, first: number, seeds: number): Promise<Run> {
  const args = [script, '--mutant', mutant, '--first', String(first), '--seeds', String(seeds), '--stop'];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      resolve({ ended: error ? (error.signal ?? error.code ?? 'unknown') : 0, output: `${stdout}\n${stderr}` });
    });
  });
}

async function search(mutant: string): Promise<Run> {
  const last = (noticedAt as Readonly<Record<string, number>>)[mutant];
  const found = last === undefined ? undefined : await run(mutant, last, 1);
  return found?.ended === 1 ? found : run(mutant, 1, SEEDS);
}

/** Each takes a core and some hundred megabytes: two at a time. */
const lanes: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];

function inLane<T>(number: number, work: () => Promise<T>): Promise<T> {
  const lane = number % lanes.length;
  const result = (lanes[lane] as Promise<unknown>).then(work);
  lanes[lane] = result.catch(() => {});
  return result;
}

describe.concurrent('a planted bug is noticed', { timeout: TIMEOUT }, () => {
  test.for(Object.entries(mutants).map(([name, { about }], number) => ({ name, about, number })))(
    '$name',
    async ({ name, about, number }) => {
      const { ended, output } = await inLane(number, () => search(name));
      const broke = /^seed (\d+) .*broke:\n {4}(.*)$/m.exec(output);
      expect(broke, `${about} Ended with ${ended}.\n${output.slice(-3_000)}`).not.toBeNull();
      expect(ended).toBe(1);
      console.log(`${name}: noticed at seed ${broke?.[1]}: ${broke?.[2]}`);
    },
  );
});

test('no seed is kept of a bug that is planted no more', () => {
  expect(Object.keys(mutants)).toEqual(expect.arrayContaining(Object.keys(noticedAt)));
});

test('a patch whose snippet is not there once is refused', () => {
  const patch = { file: 'x.ts', find: 'a + b', replace: 'a - b' };
  expect(applyPatch('const c = a\n  + b;', patch)).toBe('const c = a - b;');
  expect(() => applyPatch('const c = a;', patch)).toThrow('0 times');
  expect(() => applyPatch('a + b; a + b', patch)).toThrow('2 times');
});
