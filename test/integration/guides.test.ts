/**
 * The examples of the guides in docs/ run unchanged: each TypeScript or Python block is run as a program of its own,
 * and prints what the next text block says. docs/http.md has a test of its own, for its shell.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestReplica, type TestReplica } from '../support/base/replica.ts';

const root = new URL('../../', import.meta.url);
const docs = new URL('docs/', root);
const LONGEST_RUN_MS = 120_000;

const languages = {
  ts: { command: process.execPath, ending: 'ts' },
  python: { command: 'python', ending: 'py' },
} as const;

interface Example {
  readonly language: keyof typeof languages;
  readonly program: string;
  readonly prints: string;
}

/** @throws Error if a program has no output block after it. */
function examplesOf(guide: string): Example[] {
  const blocks = [...guide.matchAll(/```(ts|python|text)\n([\s\S]*?)```/g)].map(([, language, text = '']) => ({
    language,
    text,
  }));
  return blocks.flatMap(({ language, text }, i) => {
    if (language !== 'ts' && language !== 'python') return [];
    const next = blocks[i + 1];
    if (next?.language !== 'text') throw new Error(`nothing says what this program prints:\n${text}`);
    return [{ language, program: text, prints: next.text }];
  });
}

const guides = readdirSync(docs)
  .filter((file) => file.endsWith('.md') && file !== 'http.md')
  .map((file) => ({ file, examples: examplesOf(readFileSync(new URL(file, docs), 'utf8')) }))
  .filter(({ examples }) => examples.length > 0);

let replica: TestReplica;

beforeAll(async () => {
  // Short heartbeats for soon cancels and drains. A lease so long that no session lapses on a busy machine.
  replica = await startTestReplica({ beatMs: 1_000, leaseMs: 600_000 });
});

afterAll(() => replica?.stop());

/** The program's output. It runs next to the SDK's package, like a program of the checkout. */
async function run(name: string, { language, program }: Example): Promise<string> {
  const { command, ending } = languages[language];
  const file = new URL(`.muster/guides/${name}.${ending}`, root);
  await mkdir(new URL('.', file), { recursive: true });
  const text = program
    .replaceAll('127.0.0.1:7070', replica.grpcAddress)
    .replaceAll('http://127.0.0.1:7080', replica.httpAddress);
  await writeFile(file, text);
  try {
    const env = { ...process.env, PYTHONPATH: new URL('sdk/python/src', root).pathname };
    return (await promisify(execFile)(command, [file.pathname], { timeout: LONGEST_RUN_MS, env })).stdout;
  } finally {
    await rm(file);
  }
}

describe.each(guides.map((guide) => [guide.file, guide.examples] as const))('docs/%s', (file, examples) => {
  it.each(examples.map((example, i) => [i + 1, example] as const))(
    'prints in example %i what the guide says',
    async (n, example) => {
      expect(await run(`${process.pid}-${file.replace('.md', '')}-${n}`, example)).toBe(example.prints);
    },
  );
});

it('every guide that should have examples has some', () => {
  const withExamples = guides.map(({ file }) => file);
  expect(withExamples).toEqual(
    expect.arrayContaining([
      'batches.md',
      'cancellation.md',
      'circuit-breakers.md',
      'definitions.md',
      'events.md',
      'explain.md',
      'jobs.md',
      'logs.md',
      'placement.md',
      'retries.md',
      'rollouts.md',
      'schedules.md',
      'triggers.md',
      'submission-rules.md',
      'timeouts.md',
      'traces.md',
      'waits.md',
      'workers.md',
    ]),
  );
});
