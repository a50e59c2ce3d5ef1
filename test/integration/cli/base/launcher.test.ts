/** The launcher finds a recent Node from an old one, and passes on arguments, exit codes and signals. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { musterBinary, runMusterProcess } from '../../../support/cli/cli.ts';

/** Makes the Node that loads it look like an old version. */
const OLD_NODE = `data:text/javascript,${encodeURIComponent(`
  Object.defineProperty(process.versions, 'node', { value: '20.0.0' });
  process.execve = undefined;
`)}`;

const PROGRAM = `
process.stdout.write(JSON.stringify({ args: process.argv.slice(2), node: process.execPath, options: process.execArgv }) + '\\n');
if (process.argv.includes('wait')) {
  process.on('SIGTERM', () => process.exit(43));
  process.stdout.write('waits\\n');
  setInterval(() => {}, 1_000);
} else process.exitCode = 42;
`;

let checkout: string;
let bin: string;

/** A checkout with the launcher and a program that prints how it was started. */
beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'muster-launcher-'));
  const folder = join(checkout, 'server', 'cli');
  await mkdir(folder, { recursive: true });
  bin = join(folder, 'bin.mjs');
  await copyFile(musterBinary, bin);
  await writeFile(join(folder, 'muster.ts'), PROGRAM);
  await writeFile(join(checkout, 'package.json'), '{ "type": "module" }');
});

afterAll(() => rm(checkout, { recursive: true, force: true }));

function launch(args: readonly string[], options: readonly string[] = []) {
  const child = spawn(process.execPath, [...options, bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  return { child, output, ended: once(child, 'close').then(([code]) => ({ code, ...output })) };
}

const old = (...args: string[]) => launch(args, ['--import', OLD_NODE]);

it('the launcher says what to do if no installed Node is new enough', async () => {
  const { code, stdout, stderr } = await old('list').ended;
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain('npm run setup');
});

it('the launcher uses the Node of the set-up, and exits with the program’s code', async () => {
  const node = join(checkout, '.tools', 'bin', 'node');
  await mkdir(join(node, '..'), { recursive: true });
  await symlink(process.execPath, node);
  const { code, stdout } = await old('list', '--label', 'a=b c').ended;
  expect([code, JSON.parse(stdout).args]).toEqual([42, ['list', '--label', 'a=b c']]);
  const { child, output, ended } = old('wait');
  await eventually('it waits', () => output.stdout.includes('waits'));
  child.kill('SIGTERM');
  expect((await ended).code).toBe(43);
});

it('the launcher uses the current Node if it is new enough; a server gets a small young generation in the same process', async () => {
  expect(JSON.parse((await launch(['list']).ended).stdout)).toMatchObject({ args: ['list'], options: [] });
  const { child, output, ended } = launch(['start', 'wait']);
  await eventually('it waits', () => output.stdout.includes('waits'));
  expect(JSON.parse(output.stdout.split('\n')[0] ?? '').options).toEqual(['--max-semi-space-size=8']);
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 43, stderr: '' });
});

it('the launcher is the muster command of the package', async () => {
  const { default: manifest } = await import('../../../../package.json', { with: { type: 'json' } });
  expect(musterBinary.endsWith(manifest.bin.muster)).toBe(true);
  expect(await runMusterProcess(['--version'])).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
});
