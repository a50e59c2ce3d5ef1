/** Each fault that is planted in the Rust SDK fails the case that is about it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith, rust } from '../support/toolchains.ts';
import { rustBugs } from './planted/rust.ts';
import { RustCopy } from './planted/rust-copy.ts';
import { bugsFitTheirSource, onOneBus } from './support/planted.ts';

/** The first build compiles all that the SDK needs. */
const BUILD_MS = 1_200_000;

describeWith(rust, 'a bug that is planted in Rust', () => {
  const run = onOneBus();
  const workers = new Map<string, string>();
  let copy: RustCopy;

  beforeAll(async () => {
    copy = new RustCopy();
    for (const { name, patches } of rustBugs) workers.set(name, await copy.build(patches));
    workers.set('', await copy.build([]));
  }, BUILD_MS);
  afterAll(() => copy?.remove());

  const runOf = (name: string, cases: readonly string[]) => run([workers.get(name) ?? ''], cases);

  it('is what fails: without one the copy passes', { retry: 1 }, async () => {
    const names = rustBugs.map(({ fails }) => fails);
    const results = await runOf('', names);
    expect(results.map(({ verdict, step, why }) => ({ verdict, step, why }))).toEqual(
      rustBugs.map(() => ({ verdict: 'passed', step: '', why: '' })),
    );
  });

  it.concurrent.each(rustBugs.map((bug) => [bug.name, bug.fails] as const))('%s: fails %s', async (name, fails) => {
    const [result] = await runOf(name, [fails]);
    expect(result).toMatchObject({ verdict: 'failed' });
    // Of the bug, and not of a worker that fell over it.
    expect(result?.words.join('\n')).not.toMatch(/panicked/);
  });
});

bugsFitTheirSource(rustBugs);
