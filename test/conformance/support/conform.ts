/** A worker of this repository passes every case of conformance: one test a case, over one run of them all. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Case } from '../../../server/conformance/case.ts';
import { type CaseResult, runKit } from '../../../server/conformance/run-kit.ts';
import { allCases } from '../../../server/conformance/select.ts';

const SEED = Math.floor(Math.random() * 2 ** 31);
/** Few: two files of tests run beside each other on two cores, and what is late by a second is another case. */
const PARALLEL = 3;
const RUN_MS = 900_000;
/** With more than so many the worker is wrong, not the machine busy. */
const MOST_AGAIN = 5;

export function conforms(command: readonly string[]): void {
  describe(`${command.join(' ')} (seed ${SEED})`, () => {
    let results: readonly CaseResult[] = [];

    beforeAll(async () => {
      const run = (cases: readonly Case[], parallel: number) => {
        const { signal } = new AbortController();
        return runKit({ command, cases, seed: SEED, parallel, signal, onResult: () => {} });
      };
      const first = await run(allCases, PARALLEL);
      // Cases are of real time. Where other tests take the processors, calls of a worker miss their deadlines, which makes its credits
      // void and of the case another one. So what failed has to pass alone.
      const failed = first.filter(({ verdict }) => verdict === 'failed').map(({ one }) => one);
      const again = failed.length > 0 && failed.length <= MOST_AGAIN ? await run(failed, 1) : [];
      results = [...again, ...first];
    }, RUN_MS);

    it.each(allCases.map(({ name, proves }) => [name, proves]))('%s: %s', (name) => {
      const found = results.find(({ one }) => one.name === name);
      const { verdict, step, why, words } = found ?? { verdict: 'not run', step: '', why: '', words: [] };
      expect({ verdict, step, why, words }).toEqual({ verdict: 'passed', step: '', why: '', words: [] });
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
