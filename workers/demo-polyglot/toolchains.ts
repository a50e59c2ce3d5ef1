/** Toolchains that a machine may lack, and what to install. */
import { type SpawnSyncOptionsWithStringEncoding, spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

export interface Toolchain {
  readonly language: string;
  /** The programs that the build uses, and their required versions. */
  readonly programs: readonly Program[];
  /** Where they are run: they select their version by folder, as in a build there. */
  readonly folder: string;
  /** What to install. */
  readonly needed: string;
}

export interface Program {
  readonly name: string;
  /** Arguments that print its version. */
  readonly args: readonly string[];
  /** `undefined`: any version. */
  readonly version?: {
    /** Finds the version in the output: its first two numbers. */
    readonly pattern: RegExp;
    readonly oldest: readonly [number, number];
  };
}

/** Enough for a JVM on a loaded machine, and for a Go that downloads the version that a module requires. */
const ANSWER_MS = 60_000;
const WORDS = 300;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export const go: Toolchain = {
  language: 'Go',
  programs: [
    { name: 'go', args: ['version'], version: { pattern: /go version .*?\bgo(\d+)\.(\d+)\S*/, oldest: [1, 25] } },
  ],
  folder: here('go'),
  needed: 'Go 1.25 or newer, https://go.dev/dl',
};

export const rust: Toolchain = {
  language: 'Rust',
  programs: [
    { name: 'cargo', args: ['--version'], version: { pattern: /cargo (\d+)\.(\d+)\S*/, oldest: [1, 89] } },
    { name: 'rustc', args: ['--version'], version: { pattern: /rustc (\d+)\.(\d+)\S*/, oldest: [1, 89] } },
  ],
  folder: here('../../sdk/rust'),
  needed: 'Rust 1.89 or newer, https://rustup.rs',
};

export const java: Toolchain = {
  language: 'Java',
  programs: [
    // Maven uses the JDK of JAVA_HOME, whatever is on the PATH.
    { name: 'mvn', args: ['-v'], version: { pattern: /Java version: (\d+)(?:\.(\d+))?[^,\s]*/, oldest: [17, 0] } },
    { name: 'javac', args: ['-version'], version: { pattern: /javac (\d+)(?:\.(\d+))?\S*/, oldest: [17, 0] } },
  ],
  folder: here('java'),
  needed: 'a JDK of version 17 or newer, and Maven',
};

/** Why the language can't be used here; `undefined`: it can. */
export function lackOf(toolchain: Toolchain, patienceMs = ANSWER_MS): string | undefined {
  const { language, programs, folder, needed } = toolchain;
  for (const program of programs) {
    const lack = lackOfProgram(program, folder, patienceMs);
    if (lack !== undefined) return `${lack}; ${language} needs ${needed}`;
  }
  return undefined;
}

function lackOfProgram({ name, args, version }: Program, folder: string, patienceMs: number): string | undefined {
  const path = findOnPath(name);
  if (path === undefined) return `there is no ${name} on the PATH`;
  const { works, words } = answerOf(path, args, folder, patienceMs);
  const [found, major, minor = 0] = version?.pattern.exec(words) ?? [];
  if (!works || (version && found === undefined)) return `${name} does not report its version: ${oneLine(words)}`;
  const [oldestMajor, oldestMinor] = version?.oldest ?? [0, 0];
  const isOld = Number(major) < oldestMajor || (Number(major) === oldestMajor && Number(minor) < oldestMinor);
  return isOld ? `${name} says "${found}", which is too old` : undefined;
}

interface Answer {
  readonly works: boolean;
  /** Its output, or the reason why there is none. */
  readonly words: string;
}

/** Each program is run once. */
const answers = new Map<string, Answer>();

function answerOf(path: string, args: readonly string[], folder: string, patienceMs: number): Answer {
  const answer = answers.get(path) ?? ask(path, args, folder, patienceMs);
  answers.set(path, answer);
  return answer;
}

function ask(path: string, args: readonly string[], cwd: string, patienceMs: number): Answer {
  const options: SpawnSyncOptionsWithStringEncoding = {
    ...{ cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    ...{ timeout: patienceMs, killSignal: 'SIGKILL' },
  };
  const { status, signal, error, stdout, stderr } = spawnSync(path, args, options);
  const said = stripVTControlCharacters(`${stdout ?? ''}\n${stderr ?? ''}`).trim();
  if (error) return { works: false, words: `${whyOf(error, patienceMs)} ${said}` };
  return { works: status === 0, words: said || `exit ${status ?? signal}, without output` };
}

function whyOf(error: NodeJS.ErrnoException, patienceMs: number): string {
  return error.code === 'ETIMEDOUT' ? `no answer within ${patienceMs / 1_000} s` : error.message;
}

function oneLine(words: string): string {
  return words.replaceAll(/\s+/g, ' ').trim().slice(0, WORDS);
}

/** Maven uses the compiler of JAVA_HOME, whatever is on the PATH. */
export function findOnPath(program: string): string | undefined {
  const { PATH = '', JAVA_HOME } = process.env;
  const homes = program === 'javac' && JAVA_HOME ? [join(JAVA_HOME, 'bin')] : [];
  const folders = [...homes, ...PATH.split(delimiter)].filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
