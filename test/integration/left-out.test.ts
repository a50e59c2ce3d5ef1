/**
 * A run lists at its end the tests that it skipped for lack of a toolchain, with the reasons; with `CI=true` it fails
 * for them.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;
const support = join(root, 'test/support/run');

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-left-out-'));
  const config = `
    import { TestReport } from '${support}/test-report.ts';
    export default { test: { globals: true, include: ['*.test.ts'], reporters: ['default', new TestReport()] } };`;
  const tests = `
    import { describeWith, go, java } from '${support}/toolchains.ts';
    describeWith(go, 'what is in Go', () => {
      it('is first', () => {});
      describeWith(java, 'below it', () => it('is second', () => {}));
    });
    describeWith([go, java], 'what is in both', () => it('is third', () => {}));
    it('needs nothing', () => {});`;
  writeFileSync(join(folder, 'vitest.config.mjs'), config);
  writeFileSync(join(folder, 'some.test.ts'), tests);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: unknown;
  readonly output: string;
  readonly leftOut: string;
}

/** Runs those tests on a machine without any toolchain. */
function run(ci: string): Promise<Ended> {
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder];
  const env = { ...process.env, PATH: join(folder, 'bin'), CI: ci, NO_COLOR: '1' };
  return new Promise((fulfil) => {
    execFile(process.execPath, args, { cwd: root, env, timeout: 100_000 }, (error, stdout, stderr) => {
      const file = join(folder, 'test-results/left-out.txt');
      const leftOut = existsSync(file) ? readFileSync(file, 'utf8') : '';
      fulfil({ code: error?.code ?? 0, output: stdout + stderr, leftOut });
    });
  });
}

const expected = [
  'left out: what is in Go, what is in both; why: there is no go on the PATH; Go needs Go 1.25 or newer, https://go.dev/dl\n',
  'left out: what is in both; why: there is no mvn on the PATH; Java needs a JDK of version 17 or newer, and Maven\n',
].join('');

it('tests without their toolchain are skipped, and each toolchain is named once', async () => {
  const { code, output, leftOut } = await run('');
  expect(code, output).toBe(0);
  expect(output).toMatch(/Tests +1 passed \| 3 skipped/);
  expect(leftOut).toBe(expected);
});

it('tests without their toolchain fail in CI', async () => {
  const { code, output, leftOut } = await run('true');
  expect(code, output).toBe(1);
  expect(output).toMatch(/Tests +2 failed \| 1 passed/);
  expect(output).toContain('Error: what is in Go is left out: there is no go on the PATH');
  expect(leftOut).toBe(expected);
});
