/** The packages as users install them: in an empty project, without the checkout, they run a control plane and a job. */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/base/eventually.ts';
import { makeScratchFolder, removeFolder } from '../support/base/replica.ts';
import { cliEnvironment } from '../support/cli/cli.ts';

const root = new URL('../../', import.meta.url).pathname;
let folder: string;
let project: string;

/** Provides the dependencies that the packages find in the project, so that the installation needs no network. */
function copyDependencies(): void {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const lacked: string[] = Object.keys({ ...packages['sdk/typescript'].dependencies, '@electric-sql/pglite': '' });
  const paths = new Set<string>();
  for (let name = lacked.pop(); name !== undefined; name = lacked.pop()) {
    const path = `node_modules/${name}`;
    if (paths.has(path)) continue;
    paths.add(path);
    lacked.push(...Object.keys(packages[path].dependencies ?? {}));
    cpSync(join(root, path), join(project, path), { recursive: true });
  }
}

function run(command: string, ...args: string[]): string {
  const { MUSTER_COMMAND: _, ...env } = cliEnvironment();
  return execFileSync(command, args, { cwd: project, env, encoding: 'utf8', stdio: 'pipe' });
}

beforeAll(async () => {
  folder = await makeScratchFolder();
  project = join(folder, 'project');
  const built = execFileSync(process.execPath, ['.ci/package.mjs', join(folder, 'packages')], {
    cwd: root,
    encoding: 'utf8',
  });
  copyDependencies();
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  const flags = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', 'install', ...flags, ...built.trim().split('\n').slice(1));
}, 300_000);

afterAll(() => removeFolder(folder));

describe('the installed packages', () => {
  it('contain JavaScript and declarations, no TypeScript source, and no tests', () => {
    for (const name of ['muster-jobs', '@muster-jobs/sdk']) {
      const files = readdirSync(join(project, 'node_modules', name), { recursive: true }).map(String);
      expect(files.filter((file) => /\.ts$/.test(file) && !/\.d\.ts$/.test(file))).toEqual([]);
      expect(files.filter((file) => /(^|\/)(test|node_modules|\.tools)(\/|$)/.test(file))).toEqual([]);
      expect(files).toEqual(expect.arrayContaining(['package.json', 'LICENSE', 'README.md']));
    }
    for (const file of ['@muster-jobs/sdk/src/index.d.ts', 'muster-jobs/server/embedded.d.ts'])
      expect(existsSync(join(project, 'node_modules', file))).toBe(true);
    for (const file of ['store/schema/baseline/jobs.sql', 'tools/conformance/clocks/wall-clock.c'])
      expect(existsSync(join(project, 'node_modules/muster-jobs/server', file))).toBe(true);
  });

  it('provide the command, also by npx', () => {
    expect(run('npx', '--no-install', 'muster-jobs', '--help')).toMatch(/^Usage: muster \[options\] \[command\]/);
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(run(join(project, 'node_modules/.bin/muster'), '--version')).toBe(`${version}\n`);
    expect(() => run(join(project, 'node_modules/.bin/muster'), 'apply')).toThrow(/next +npx muster-jobs apply --help/);
    const nothing = ['worker', 'exec', 'none', '--', './no-such-program'];
    expect(() => run(join(project, 'node_modules/.bin/muster'), ...nothing)).toThrow(/handler none: there is no file/);
  });

  it('provide types to TypeScript', () => {
    const text = `import { Client, type Job, Worker } from '@muster-jobs/sdk';
import { runHandler } from '@muster-jobs/sdk/testing';
import { startMuster } from 'muster-jobs';
export const client = new Client({ address: 'localhost:7070' });
export const worker = new Worker({ address: 'localhost:7070', name: 'w', handlers: { add: (ctx) => ctx.attempt + 1 } });
export const state = async (): Promise<Job['jobId']> => (await client.get('x')).jobId;
// @ts-expect-error an address is a text
new Client({ address: 7 });
export const muster = async (): Promise<string> => (await startMuster({ grpcPort: 0 })).grpcAddress;
export const tested = async (): Promise<number> => (await runHandler<number>((ctx) => ctx.attempt, 1)).result;
`;
    writeFileSync(join(project, 'consumer.ts'), text);
    const strict = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      '--skipLibCheck',
      '--types',
      '',
    ];
    run(process.execPath, join(root, 'node_modules/typescript/bin/tsc'), ...strict, 'consumer.ts');
  });

  it('can test a handler without a control plane', () => {
    const script = `import { NonRetryableError } from '@muster-jobs/sdk';
import { runHandler } from '@muster-jobs/sdk/testing';
const add = (_ctx, { a, b }) => {
  if (b === 0) throw new NonRetryableError('nothing to add');
  return a + b;
};
console.log((await runHandler(add, { a: 2, b: 3 })).result);
console.log((await runHandler(add, { a: 2, b: 0 })).failure.nonRetryable);
`;
    writeFileSync(join(project, 'handler.mjs'), script);
    expect(run(process.execPath, 'handler.mjs')).toBe('5\ntrue\n');
  });

  it('can run a control plane inside a program, as the guide shows', () => {
    const guide = readFileSync(join(root, 'docs/operations.md'), 'utf8');
    const [, program = ''] = /```js\n(import \{ startMuster \}[\s\S]*?)```/.exec(guide) ?? [];
    writeFileSync(join(project, 'inside.mjs'), program.replace("'.muster'", `'${join(folder, 'inside')}'`));
    expect(run(process.execPath, 'inside.mjs')).toMatch(/^127\.0\.0\.1:\d+\n$/);
  });

  it('can run a control plane, a worker and a job', async () => {
    // With the nats-server of its platform's package alone.
    const env = { ...cliEnvironment(), PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
    const muster = join(project, 'node_modules/.bin/muster');
    const server = spawn(muster, ['start', '--grpc-port', '0', '--http-port', '0'], { cwd: project, env });
    let output = '';
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (output += chunk));
    try {
      const address = await eventually('the control plane is up', () => /gRPC\s+(\S+:\d+)/.exec(output)?.[1], {
        timeoutMs: 100_000,
      });
      const script = `import { Client, Worker } from '@muster-jobs/sdk';
const address = '${address}';
const worker = new Worker({ address, name: 'w', handlers: { add: (_ctx, { a, b }) => a + b } });
const running = worker.run();
const client = new Client({ address });
await client.applyDefinition({ name: 'add' });
console.log(await client.result(await client.submit('add', { a: 2, b: 3 })));
client.close();
await worker.stop();
await running;
`;
      writeFileSync(join(project, 'job.mjs'), script);
      expect(run(process.execPath, 'job.mjs')).toContain('5\n');
      expect(run(muster, 'list', '--server', address)).toMatch(/SUCCEEDED +add@1/);
    } catch (error) {
      throw new Error(`${error}\n${output}`, { cause: error });
    } finally {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGTERM');
      expect(await ended).toBe(0);
    }
  });
});
