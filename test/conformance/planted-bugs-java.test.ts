/** Each bug planted in the Java SDK fails the case that covers it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useShortLivedMaven } from '../support/base/jvm.ts';
import { describeWith, java } from '../support/run/toolchains.ts';
import { javaBugs } from './planted/java.ts';
import { JavaCopy } from './planted/java-copy.ts';
import { bugsFitTheirSource, onOneBus } from './support/planted.ts';

/** The first build fetches all dependencies. */
const BUILD_MS = 1_200_000;

useShortLivedMaven();

describeWith(java, 'the Java worker', () => {
  const run = onOneBus();
  const commands = new Map<string, readonly string[]>();
  let copy: JavaCopy;

  beforeAll(async () => {
    copy = new JavaCopy();
    await copy.build();
    for (const { name, patches } of javaBugs) commands.set(name, await copy.plant(patches));
  }, BUILD_MS);
  afterAll(() => copy?.remove());

  // Cases run in real time: one that other tests delayed must pass when it runs again.
  it('passes without a planted bug', { retry: 1 }, async () => {
    const names = javaBugs.map(({ fails }) => fails);
    const results = await run(await copy.plant([]), names);
    expect(results.map(({ verdict, step, why }) => ({ verdict, step, why }))).toEqual(
      javaBugs.map(() => ({ verdict: 'passed', step: '', why: '' })),
    );
  });

  it.concurrent.each(javaBugs.map((bug) => [bug.name, bug.fails] as const))('%s: fails %s', async (name, fails) => {
    const [result] = await run(commands.get(name) ?? [], [fails]);
    expect(result).toMatchObject({ verdict: 'failed' });
    // The failure must come from the bug and not from a crash of the worker.
    expect(result?.words.join('\n')).not.toMatch(/a fault in the Muster SDK|Error/);
  });
});

bugsFitTheirSource(javaBugs);
