/** Each bug planted in the Rust SDK fails the case that covers it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith, rust } from '../support/run/toolchains.ts';
import { rustBugs } from './planted/rust.ts';
import { RustCopy } from './planted/rust-copy.ts';
import { bugsFitTheirSource, onOneBus } from './support/planted.ts';

/** The first build compiles all dependencies. */
const BUILD_MS = 1_200_000;

describeWith(rust, 'the Rust worker', () => {
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

  it('passes without a planted bug', { retry: 1 }, async () => {
    const names = rustBugs.map(({ fails }) => fails);
    const results = await runOf('', names);
    expect(results.map(({ verdict, step, why }) => ({ verdict, step, why }))).toEqual(
      rustBugs.map(() => ({ verdict: 'passed', step: '', why: '' })),
    );
  });

  it.concurrent.each(rustBugs.map((bug) => [bug.name, bug.fails] as const))('%s: fails %s', async (name, fails) => {
    const [result] = await runOf(name, [fails]);
    expect(result).toMatchObject({ verdict: 'failed' });
    // The failure must come from the bug and not from a crash of the worker.
    expect(result?.words.join('\n')).not.toMatch(/panicked/);
  });
});

bugsFitTheirSource(rustBugs);
