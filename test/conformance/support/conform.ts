/**
 * A worker of this repository passes every conformance case, or those of the smoke selection: one test per case, over
 * one run of all cases.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Case } from '../../../server/tools/conformance/case.ts';
import type { CaseResult } from '../../../server/tools/conformance/case-run.ts';
import type { Feature } from '../../../server/tools/conformance/features.ts';
import { runKit } from '../../../server/tools/conformance/run-kit.ts';
import { allCases } from '../../../server/tools/conformance/select.ts';
import { runsAll } from '../../support/run/cases.ts';
import { c, describeWith } from '../../support/run/toolchains.ts';
import { coreCases } from './core.ts';

const SEED = Math.floor(Math.random() * 2 ** 31);
/** High, because a case waits nearly all of its time. The kit runs a disturbed case again, alone. */
const PARALLEL = 24;
const RUN_MS = 900_000;

export interface Exceptions {
  /** Optional features that the worker does not offer. Their cases are not run. */
  readonly without?: readonly Feature[];
  /** Cases that can't be run with the worker, and why. */
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

    it.each(Object.entries(unplayable))('%s is not run: %s', (name) => {
      expect(results.find(({ one }) => one.name === name)).toMatchObject({ verdict: 'not offered' });
    });
  });
}

/** Keeps Node's compile cache for later processes, in a folder that is removed after the tests. */
export function withCompileCache(): void {
  const folder = mkdtempSync(join(tmpdir(), 'muster-compiled-'));
  process.env.NODE_COMPILE_CACHE = folder;
  afterAll(() => {
    delete process.env.NODE_COMPILE_CACHE;
    rmSync(folder, { recursive: true, force: true });
  });
}
