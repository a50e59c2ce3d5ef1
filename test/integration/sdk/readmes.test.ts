/** The examples in the READMEs of the SDKs work: each program with an output block is run, and prints just that. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestReplica, type TestReplica } from '../../support/base/replica.ts';

const root = new URL('../../../', import.meta.url);
const LONGEST_RUN_MS = 110_000;
const languages = {
  ts: { readme: 'sdk/typescript/README.md', fences: 'js|ts', command: process.execPath },
  python: { readme: 'sdk/python/README.md', fences: 'python', command: 'python' },
} as const;

function examplesOf(language: keyof typeof languages): [program: string, prints: string][] {
  const { readme, fences } = languages[language];
  const text = readFileSync(new URL(readme, root), 'utf8');
  const pattern = new RegExp(`\`\`\`(?:${fences})\\n([^\`]*)\`\`\`\\n\\n\`\`\`text\\n([^\`]*)\`\`\``, 'g');
  return [...text.matchAll(pattern)].map(([, program = '', prints = '']) => [program, prints]);
}

const examples = (['ts', 'python'] as const).flatMap((language) =>
  examplesOf(language).map(([program, prints], i) => ({ language, n: i + 1, program, prints })),
);

let replica: TestReplica;

beforeAll(async () => {
  replica = await startTestReplica({ leaseMs: 600_000 });
});

afterAll(() => replica?.stop());

it('the READMEs have examples in each language', () => {
  expect(examplesOf('ts')).toHaveLength(6);
  expect(examplesOf('python')).toHaveLength(7);
});

it.each(examples)(
  'example $n of the README in $language prints what it says',
  async ({ language, n, program, prints }) => {
    const file = new URL(`.muster/readmes/${process.pid}-${n}.${language === 'ts' ? 'ts' : 'py'}`, root);
    await mkdir(new URL('.', file), { recursive: true });
    const here = program
      .replaceAll('127.0.0.1:7070', replica.grpcAddress)
      .replaceAll('http://127.0.0.1:7080', replica.httpAddress);
    await writeFile(file, here);
    const env = { ...process.env, PYTHONPATH: new URL('sdk/python/src', root).pathname };
    try {
      const run = promisify(execFile)(languages[language].command, [file.pathname], { timeout: LONGEST_RUN_MS, env });
      expect((await run).stdout).toBe(prints);
    } finally {
      await rm(file);
    }
  },
);
