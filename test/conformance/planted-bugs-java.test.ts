/** Each fault that is planted in the Java SDK fails the case that is about it. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Bus } from '../../server/conformance/bus.ts';
import { runCases } from '../../server/conformance/run-kit.ts';
import { allCases } from '../../server/conformance/select.ts';
import { applyPatch } from '../simulation/mutants/plant.ts';
import { describeWith, java } from '../support/toolchains.ts';
import { javaBugs } from './planted/java.ts';
import { JavaCopy } from './planted/java-copy.ts';

/** The first build fetches all that it needs. */
const BUILD_MS = 1_200_000;
/** What a bug keeps from coming is waited for in vain. */
const PATIENCE_MS = 6_000;

describeWith(java, 'a bug that is planted in Java', () => {
  let bus: Bus;
  let copy: JavaCopy;

  beforeAll(async () => {
    bus = await Bus.start();
    copy = new JavaCopy();
    await copy.build();
  }, BUILD_MS);
  afterAll(async () => {
    copy?.remove();
    await bus?.stop();
  });

  async function resultsOf(command: readonly string[], names: readonly string[]) {
    const cases = allCases.filter(({ name }) => names.includes(name));
    const { signal } = new AbortController();
    return runCases({ command, cases, seed: 1, parallel: 1, signal, patienceMs: PATIENCE_MS, onResult: () => {} }, bus);
  }

  // Cases are of real time: one that other tests made late has to pass when it is run again.
  it('is what fails: without one the worker passes', { retry: 1 }, async () => {
    const results = await resultsOf(
      await copy.plant([]),
      javaBugs.map(({ fails }) => fails),
    );
    expect(results.map(({ verdict, step, why }) => ({ verdict, step, why }))).toEqual(
      javaBugs.map(() => ({ verdict: 'passed', step: '', why: '' })),
    );
  });

  it.each(javaBugs.map((bug) => [bug.name, bug.fails, bug] as const))(
    '%s: fails %s',
    async (_name, fails, { patches }) => {
      const [result] = await resultsOf(await copy.plant(patches), [fails]);
      expect(result).toMatchObject({ verdict: 'failed' });
      // Of the bug, and not of a worker that fell over it.
      expect(result?.words.join('\n')).not.toMatch(/a fault in the Muster SDK|Error/);
    },
  );
});

it.each(javaBugs.map((bug) => [bug.name, bug] as const))('"%s" fits the source that it is planted in', (_name, bug) => {
  expect(allCases.map(({ name }) => name)).toContain(bug.fails);
  for (const patch of bug.patches) {
    const source = readFileSync(new URL(`../../${patch.file}`, import.meta.url), 'utf8');
    expect(applyPatch(source, patch)).not.toBe(source);
  }
});
