/** The code blocks of docs/sdks compile: all blocks of a language at once, with its own tools. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { importsOf, type Language, type Snippet, snippet, snippetsOf } from '../../support/docs/sdk-pages.ts';

export interface SnippetCompiler {
  readonly language: Language;
  /** Statements that must not compile, because they call a method that the client does not have. */
  readonly wrong: string;
  /** The files of a folder that contains the blocks, by relative path. */
  files(snippets: readonly Snippet[], imports: string, folder: string): Readonly<Record<string, string>>;
  command(folder: string): { readonly program: string; readonly args: readonly string[]; readonly cwd: string };
}

export const root = new URL('../../../', import.meta.url).pathname;
/** The first build compiles all dependencies. */
const COMPILE_MS = 1_200_000;
const WORDS = 8_000;

export function snippetsCompile(compiler: SnippetCompiler): void {
  const { language, wrong } = compiler;
  let folder: string;

  beforeAll(() => {
    mkdirSync(join(root, '.muster'), { recursive: true });
    // Inside the checkout, where Node finds packages.
    folder = mkdtempSync(join(root, '.muster/snippets-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it(
    'compiles the code in docs/sdks',
    async () => {
      const { code, words } = await compile(compiler, snippetsOf(language), join(folder, 'right'));
      expect(code, words).toBe(0);
    },
    COMPILE_MS,
  );

  it(
    'refuses a code block with a mistake, and names its section',
    async () => {
      const snippets = [...snippetsOf(language), snippet('Planted Fault', wrong)];
      const { code, words } = await compile(compiler, snippets, join(folder, 'wrong'));
      expect(code).not.toBe(0);
      expect(words).toMatch(/planted[_ ]?fault/i);
    },
    COMPILE_MS,
  );
}

async function compile(compiler: SnippetCompiler, snippets: readonly Snippet[], folder: string) {
  const files = compiler.files(snippets, importsOf(compiler.language), folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const { program, args, cwd } = compiler.command(folder);
  return new Promise<{ code: number; words: string }>((resolve, reject) => {
    execFile(program, args, { cwd, maxBuffer: 1 << 26 }, (error, out, err) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: Number(error?.code ?? 0), words: (out + err).slice(-WORDS) });
    });
  });
}

/** Indents each line except empty ones. */
export function indent(code: string, by: string): string {
  return code.replace(/^(?=.)/gm, by);
}
