/** Each fault that is planted in the Rust SDK fails the case that is about it. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Bus } from '../../server/conformance/bus.ts';
import { runCases } from '../../server/conformance/run-kit.ts';
import { allCases } from '../../server/conformance/select.ts';
import { applyPatch } from '../simulation/mutants/plant.ts';
import { describeWith, rust } from '../support/toolchains.ts';
import { rustBugs } from './planted/rust.ts';
import { RustCopy } from './planted/rust-copy.ts';

/** The first build compiles all that the SDK needs. */
const BUILD_MS = 1_200_000;
/** What a bug keeps from coming is waited for in vain. */
const PATIENCE_MS = 6_000;

describeWith(rust, 'a bug that is planted in Rust', () => {
  let bus: Bus;
  let copy: RustCopy;

  beforeAll(async () => {
    bus = await Bus.start();
    copy = new RustCopy();
  });
  afterAll(async () => {
    copy?.remove();
    await bus?.stop();
  });

  async function resultsOf(names: readonly string[]) {
    const cases = allCases.filter(({ name }) => names.includes(name));
    const { signal } = new AbortController();
    const command = [copy.worker];
    return runCases({ command, cases, seed: 1, parallel: 1, signal, patienceMs: PATIENCE_MS, onResult: () => {} }, bus);
  }

  it('is what fails: without one the copy passes', { timeout: BUILD_MS, retry: 1 }, async () => {
    await copy.build([]);
    const results = await resultsOf(rustBugs.map(({ fails }) => fails));
    expect(results.map(({ verdict, step, why }) => ({ verdict, step, why }))).toEqual(
      rustBugs.map(() => ({ verdict: 'passed', step: '', why: '' })),
    );
  });

  it.each(rustBugs.map((bug) => [bug.name, bug.fails, bug] as const))(
    '%s: fails %s',
    { timeout: BUILD_MS },
    async (_name, fails, { patches }) => {
      await copy.build(patches);
      const [result] = await resultsOf([fails]);
      expect(result).toMatchObject({ verdict: 'failed' });
      // Of the bug, and not of a worker that fell over it.
      expect(result?.words.join('\n')).not.toMatch(/panicked/);
    },
  );
});

it.each(rustBugs.map((bug) => [bug.name, bug] as const))('"%s" fits the source that it is planted in', (_name, bug) => {
  expect(allCases.map(({ name }) => name)).toContain(bug.fails);
  for (const patch of bug.patches) {
    const source = readFileSync(new URL(`../../${patch.file}`, import.meta.url), 'utf8');
    expect(applyPatch(source, patch)).not.toBe(source);
  }
});
