/** The conformance kit detects bugs: each bug planted in the TypeScript worker fails the case that covers it. */
import { describe, expect, it } from 'vitest';
import { allCases } from '../../server/tools/conformance/select.ts';
import { c, describeWith } from '../support/run/toolchains.ts';
import type { Bug } from './planted/bug.ts';
import { bugs } from './planted/bugs.ts';
import { withCompileCache } from './support/conform.ts';
import { bugsFitTheirSource, onOneBus } from './support/planted.ts';

const PRELOAD = './test/conformance/planted/plant.ts';
const WORKER = 'workers/conformance-typescript/worker.ts';

const run = onOneBus({ again: 0 });
withCompileCache();

function areNoticed(some: readonly Bug[]): void {
  it.concurrent.each(some.map((bug) => [bug.name, bug.fails] as const))('%s: fails %s', async (name, fails) => {
    const command = ['env', `MUSTER_PLANTED_BUG=${name}`, process.execPath, '--import', PRELOAD, WORKER];
    const [result] = await run(command, [fails]);
    expect(result).toMatchObject({ verdict: 'failed' });
    // The failure must come from the bug and not from the patch.
    expect(result?.words.join('\n')).not.toMatch(/SyntaxError|ReferenceError|has the snippet|no planted bug/);
  });
}

const needsCompiler = ({ fails }: Bug) => allCases.some(({ name, hasWallClock }) => name === fails && hasWallClock);
describe('a planted bug', () => areNoticed(bugs.filter((bug) => !needsCompiler(bug))));
describeWith(c, 'a planted bug of the wall clock', () => areNoticed(bugs.filter(needsCompiler)));

bugsFitTheirSource(bugs);
