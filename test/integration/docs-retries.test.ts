/** The example of the guide on retries works, letter by letter, and prints what the guide says. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestReplica, type TestReplica } from '../support/replica.ts';

const root = new URL('../../', import.meta.url);
const guide = readFileSync(new URL('docs/retries.md', root), 'utf8');
let replica: TestReplica;

beforeAll(async () => {
  replica = await startTestReplica();
});

afterAll(() => replica?.stop());

function block(language: string): string {
  const text = guide.match(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``))?.[1];
  if (!text) throw new Error(`the guide has no ${language} block`);
  return text;
}

it('the example of docs/retries.md prints what it says', async () => {
  // Beside the SDK's package, as a program of the checkout's would lie.
  const file = new URL('.tools/retries-example.ts', root);
  await mkdir(new URL('.', file), { recursive: true });
  await writeFile(file, block('ts').replaceAll('127.0.0.1:7070', replica.grpcAddress));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file.pathname], { timeout: 60_000 });
    expect(stdout).toBe(block('text'));
  } finally {
    await rm(file);
  }
});
