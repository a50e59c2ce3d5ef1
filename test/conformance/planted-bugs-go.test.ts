/** Each fault that is planted in the Go worker fails the case that is about it. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bus } from '../../server/conformance/bus.ts';
import { runCases } from '../../server/conformance/run-kit.ts';
import { allCases } from '../../server/conformance/select.ts';
import { applyPatch } from '../simulation/mutants/plant.ts';
import { describeWith, go } from '../support/toolchains.ts';
import type { Bug } from './planted/bug.ts';
import { goBugs } from './planted/go.ts';

const root = new URL('../../', import.meta.url).pathname;
/** The first build compiles all that it needs. */
const BUILD_MS = 1_200_000;
/** What a bug keeps from coming is waited for in vain. */
const PATIENCE_MS = 6_000;

const sourceWith = ({ patches }: Bug, file: string) =>
  patches.filter((patch) => patch.file === file).reduce(applyPatch, readFileSync(root + file, 'utf8'));

/** Builds the worker of a source in which files of the SDK are others. Answers its path. */
async function build(bug: Bug, folder: string): Promise<string> {
  mkdirSync(folder);
  const files = [...new Set(bug.patches.map(({ file }) => file))];
  const overlay = files.map((file, at) => {
    const patched = join(folder, `${at}.go`);
    writeFileSync(patched, sourceWith(bug, file));
    return [root + file, patched];
  });
  const [replaced, worker] = [join(folder, 'overlay.json'), join(folder, 'worker')];
  writeFileSync(replaced, JSON.stringify({ Replace: Object.fromEntries(overlay) }));
  const args = ['build', '-overlay', replaced, '-ldflags=-s -w', '-o', worker, '.'];
  await promisify(execFile)('go', args, { cwd: `${root}workers/conformance-go`, maxBuffer: 1 << 26 });
  return worker;
}

describeWith(go, 'a bug that is planted in the Go worker', () => {
  const workers = new Map<Bug, string>();
  let folder: string;
  let bus: Bus;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'muster-go-bugs-'));
    // One after the other, and all before the first case: cases are of real time.
    for (const [at, bug] of goBugs.entries()) workers.set(bug, await build(bug, join(folder, `${at}`)));
    bus = await Bus.start();
  }, BUILD_MS);
  afterAll(async () => {
    await bus?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function verdictOn(bug: Bug) {
    const command = [workers.get(bug) ?? ''];
    const cases = allCases.filter(({ name }) => name === bug.fails);
    const { signal } = new AbortController();
    const run = { command, cases, seed: 1, parallel: 1, signal, patienceMs: PATIENCE_MS, onResult: () => {} };
    const [result] = await runCases(run, bus);
    return result;
  }

  describe.concurrent('each', { concurrent: true }, () => {
    it.each(goBugs.map((bug) => [bug.name, bug.fails, bug] as const))('%s: fails %s', async (_name, _fails, bug) => {
      const result = await verdictOn(bug);
      expect(result).toMatchObject({ verdict: 'failed' });
      // Of the bug, and not of how it was planted.
      expect(result?.words.join('\n')).not.toMatch(/^(panic|fatal error): /m);
    });
  });
});

it.each(goBugs.map((bug) => [bug.name, bug] as const))('"%s" fits the source that it is planted in', (_name, bug) => {
  expect(allCases.map(({ name }) => name)).toContain(bug.fails);
  for (const { file } of bug.patches) expect(sourceWith(bug, file)).not.toBe(readFileSync(root + file, 'utf8'));
});
