/** A kit that can't fail is no kit: each fault that is planted in the TypeScript worker fails the case that is about it. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bus } from '../../server/conformance/bus.ts';
import { runCases } from '../../server/conformance/run-kit.ts';
import { allCases } from '../../server/conformance/select.ts';
import { applyPatch } from '../simulation/mutants/plant.ts';
import { c, describeWith } from '../support/toolchains.ts';
import type { Bug } from './planted/bug.ts';
import { bugs } from './planted/bugs.ts';
import { withCompileCache } from './support/conform.ts';

const PRELOAD = './test/conformance/planted/plant.ts';
const WORKER = 'workers/conformance-typescript/worker.ts';
/** What a bug keeps from coming is waited for in vain. */
const PATIENCE_MS = 6_000;

let bus: Bus;

beforeAll(async () => {
  bus = await Bus.start();
});
afterAll(() => bus?.stop());
withCompileCache();

async function verdictOn({ name, fails }: Bug) {
  const command = ['env', `MUSTER_PLANTED_BUG=${name}`, process.execPath, '--import', PRELOAD, WORKER];
  const cases = allCases.filter((one) => one.name === fails);
  const { signal } = new AbortController();
  const bounds = { parallel: 1, patienceMs: PATIENCE_MS, again: 0 };
  const [result] = await runCases({ command, cases, seed: 1, signal, ...bounds, onResult: () => {} }, bus);
  return result;
}

function areNoticed(some: readonly Bug[]): void {
  it.concurrent.each(some.map((bug) => [bug.name, bug.fails, bug] as const))(
    '%s: fails %s',
    async (_name, _fails, bug) => {
      const result = await verdictOn(bug);
      expect(result).toMatchObject({ verdict: 'failed' });
      // Of the bug, and not of how it was planted.
      expect(result?.words.join('\n')).not.toMatch(/SyntaxError|ReferenceError|has the snippet|no planted bug/);
    },
  );
}

const needsCompiler = ({ fails }: Bug) => allCases.some(({ name, hasWallClock }) => name === fails && hasWallClock);
describe('a planted bug', () => areNoticed(bugs.filter((bug) => !needsCompiler(bug))));
describeWith(c, 'a planted bug of the wall clock', () => areNoticed(bugs.filter(needsCompiler)));

it.each(bugs.map((bug) => [bug.name, bug] as const))('"%s" fits the source that it is planted in', (_name, bug) => {
  expect(allCases.map(({ name }) => name)).toContain(bug.fails);
  for (const patch of bug.patches) {
    const source = readFileSync(patch.file, 'utf8');
    expect(applyPatch(source, patch)).not.toBe(source);
  }
});
