/** A worker of this repository passes every case of conformance, or those of the core: one test a case, over one run of them all. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Case } from '../../../server/tools/conformance/case.ts';
import type { CaseResult } from '../../../server/tools/conformance/case-run.ts';
import type { Feature } from '../../../server/tools/conformance/features.ts';
import { runKit } from '../../../server/tools/conformance/run-kit.ts';
import { allCases } from '../../../server/tools/conformance/select.ts';
import { runsAll } from '../../support/tier.ts';
import { c, describeWith } from '../../support/toolchains.ts';
import { coreCases } from './core.ts';

const SEED = Math.floor(Math.random() * 2 ** 31);
/** Many: a case waits for nearly all of its time. What is disturbed all the same the kit runs again, alone. */
const PARALLEL = 24;
const RUN_MS = 900_000;

export interface Exceptions {
  /** What the worker need not offer, and does not: of that nothing is proved. */
  readonly without?: readonly Feature[];
  /** Cases that can't be played with the worker, and why. */
  readonly unplayable?: Readonly<Record<string, string>>;
}

export function conforms(command: readonly string[], { without = [], unplayable = {} }: Exceptions = {}): void {
  const wanted = runsAll ? allCases : allCases.filter(({ name }) => coreCases.includes(name));
  const cases = wanted.filter(({ needs }) => needs === undefined || !without.includes(needs));

  describe(`${command.join(' ')} (seed ${SEED})`, () => {
    let results: readonly CaseResult[] = [];

    beforeAll(async () => {
      const { signal } = new AbortController();
      results = await runKit({ command, cases, seed: SEED, parallel: PARALLEL, signal, onResult: () => {} });
    }, RUN_MS);

    const passes = (some: readonly Case[]) =>
      it.each(some.map(({ name, proves }) => [name, proves]))('%s: %s', (name) => {
        const found = results.find(({ one }) => one.name === name);
        const { verdict, step, why, words } = found ?? { verdict: 'not run', step: '', why: '', words: [] };
        expect({ verdict, step, why, words }).toEqual({ verdict: 'passed', step: '', why: '', words: [] });
      });
    const played = cases.filter(({ name }) => unplayable[name] === undefined);
    const [clocked = [], plain = []] = [true, false].map((isClocked) =>
      played.filter(({ hasWallClock = false }) => hasWallClock === isClocked),
    );
    passes(plain);
    if (clocked.length > 0) describeWith(c, 'its wall clock', () => passes(clocked));

    it.each(Object.entries(unplayable))('%s is not played: %s', (name) => {
      expect(results.find(({ one }) => one.name === name)).toMatchObject({ verdict: 'not offered' });
    });
  });
}

/** Node keeps what it has compiled for the processes that follow, in a folder that goes when the tests are over. */
export function withCompileCache(): void {
  const folder = mkdtempSync(join(tmpdir(), 'muster-compiled-'));
  process.env.NODE_COMPILE_CACHE = folder;
  afterAll(() => {
    delete process.env.NODE_COMPILE_CACHE;
    rmSync(folder, { recursive: true, force: true });
  });
}
