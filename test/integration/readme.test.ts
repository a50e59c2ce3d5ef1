/** The code in the README runs unchanged against an embedded control plane. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
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

it('the first job of the README prints its result', async () => {
  // Next to the SDK's package, like a program of the checkout.
  const file = new URL('.tools/first-job.mjs', root);
  await writeFile(file, example('js'));
  try {
    expect((await output(process.execPath, file.pathname)).split('\n')).toContain('5');
  } finally {
    await rm(file);
  }
});
