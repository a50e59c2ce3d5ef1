/** Each bug planted in the Go worker fails the case that covers it. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith, go } from '../support/run/toolchains.ts';
import type { Bug } from './planted/bug.ts';
import { goBugs } from './planted/go.ts';
import { bugsFitTheirSource, onOneBus, sourceWith } from './support/planted.ts';

const root = new URL('../../', import.meta.url).pathname;
/** The first build compiles all dependencies. */
const BUILD_MS = 1_200_000;

/** Builds the worker with some files of the SDK replaced. Returns its path. */
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

describeWith(go, 'the Go worker', () => {
  const run = onOneBus();
  const workers = new Map<string, string>();
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'muster-go-bugs-'));
    // One after the other, and all before the first case, because cases run in real time.
    for (const [at, bug] of goBugs.entries()) workers.set(bug.name, await build(bug, join(folder, `${at}`)));
  }, BUILD_MS);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe.concurrent('with a planted bug', { concurrent: true }, () => {
    it.each(goBugs.map((bug) => [bug.name, bug.fails] as const))('%s: fails %s', async (name, fails) => {
      const [result] = await run([workers.get(name) ?? ''], [fails]);
      expect(result).toMatchObject({ verdict: 'failed' });
      // The failure must come from the bug and not from a broken build.
      expect(result?.words.join('\n')).not.toMatch(/^(panic|fatal error): /m);
    });
  });
});

bugsFitTheirSource(goBugs);
