/** The code in the README runs unchanged against an embedded control plane. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { Client } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestReplica, type TestReplica } from '../support/base/replica.ts';

const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');
let replica: TestReplica;

beforeAll(async () => {
  replica = await startTestReplica();
});

afterAll(() => replica?.stop());

/** The first block of a language, with the replica's address in it. */
function example(language: string): string {
  const block = readme.match(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``))?.[1];
  if (!block?.includes('127.0.0.1:7070')) throw new Error(`the README has no ${language} example with the address`);
  return block.replaceAll('127.0.0.1:7070', replica.grpcAddress);
}

/** Runs a file, and returns its stdout if it succeeds. */
async function output(command: string, file: string): Promise<string> {
  const child = spawn(command, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${file} ended with ${code}\n${out}${err}`);
  return out;
}

it('the TypeScript example of the README runs a job and ends', async () => {
  // Next to the SDK's package, like a program of the checkout.
  const file = new URL('.tools/readme-example.ts', root);
  await writeFile(file, example('ts'));
  try {
    expect((await output(process.execPath, file.pathname)).split('\n')).toContain('5');
  } finally {
    await rm(file);
  }
});

it('the Python example of the README takes the same jobs', async () => {
  const file = new URL('.tools/readme_example.py', root);
  await writeFile(file, example('python'));
  const worker = spawn('python', [file.pathname], { stdio: ['ignore', 'ignore', 'pipe'] });
  let err = '';
  worker.stderr.on('data', (chunk) => {
    err = (err + chunk).slice(-4_000);
  });
  const client = new Client({ address: replica.grpcAddress });
  try {
    await client.applyDefinition({ name: 'add' });
    const ended = once(worker, 'exit').then(() => Promise.reject(new Error(`the worker ended\n${err}`)));
    const result = client.result(await client.submit('add', { a: 20, b: 22 }), { timeoutMs: 60_000 });
    expect(await Promise.race([result, ended])).toBe(42);
    const stopped = once(worker, 'exit');
    ended.catch(() => {});
    worker.kill('SIGTERM');
    expect((await stopped)[0]).toBe(0);
  } finally {
    worker.kill('SIGKILL');
    client.close();
    await rm(file);
  }
});
