/** Runs the demo as a user does, and finds what it leaves behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../support/base/eventually.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface DemoRun {
  readonly child: ChildProcess;
  /** Everything printed so far, on both streams. */
  output(): string;
  /** Resolves with the exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Resolves once its output matches. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>;
}

export function startDemo(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  file = 'workers/demo/demo.ts',
): DemoRun {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  }
  return {
    child,
    output: () => text,
    ended: new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code ?? -1))),
    printed: (pattern) => eventually(`${pattern} in the output`, () => text.match(pattern), { timeoutMs: 90_000 }),
  };
}

/** The scratch folder that the output of a run names. */
export function scratchFolder(output: string): string {
  const folder = /data in (\S+) until the end/.exec(output)?.[1];
  if (folder === undefined) throw new Error(`no scratch folder in:\n${output}`);
  return folder;
}

/**
 * Processes that belong to a run: its control plane and bus work in its folder, and its workers are given its address,
 * if the output has one. (Without an address no word is searched, because an empty one would match any command.)
 */
export function processesOf(output: string, folder = scratchFolder(output)): string[] {
  const [, ...address] = /control plane +(\S+),/.exec(output) ?? [];
  return commandsWith(folder, ...address);
}

/** Processes whose command contains one of the words. */
export function commandsWith(...words: readonly string[]): string[] {
  return commandLines().filter((line) => words.some((word) => line.includes(word)));
}

export function folderExists(output: string): boolean {
  return existsSync(scratchFolder(output));
}

function commandLines(): string[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.map((id) => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return ''; // it has ended meanwhile
    }
  });
}
