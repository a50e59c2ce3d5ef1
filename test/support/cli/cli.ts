/**
 * Runs the `muster` command: inside the test's process, which suffices for its output and exit code, or in a separate
 * process for tests of signals, pipes or the process itself.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestProcess } from './cli-process.ts';

export const musterBinary = fileURLToPath(new URL('../../../server/cli/bin.mjs', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliSettings {
  /** Added to an environment without settings of Muster. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
}

/** This process's environment without variables that change the command. Our Node comes first on the PATH. */
export function cliEnvironment(env: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const clean = Object.entries(process.env).filter(
    ([name]) => !/^(MUSTER_|NO_COLOR$|FORCE_COLOR$|COLUMNS$)/.test(name),
  );
  const PATH = [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter);
  return { ...Object.fromEntries(clean), PATH, MUSTER_CONFIG: '/nonexistent/muster', MUSTER_COMMAND: 'muster', ...env };
}

/** Starts the command in this process. `output` is its output so far. */
export function startMuster(args: readonly string[], { env = {}, stdin = '', cwd = process.cwd() }: CliSettings = {}) {
  const command = new TestProcess(args, { env: cliEnvironment(env), stdin, cwd });
  const output = {
    get stdout() {
      return command.stdout.text;
    },
    get stderr() {
      return command.stderr.text;
    },
  };
  const ended = command.run().then((code): CliResult => ({ code, stdout: output.stdout, stderr: output.stderr }));
  return { output, ended };
}

export function runMuster(args: readonly string[], settings: CliSettings = {}): Promise<CliResult> {
  return startMuster(args, settings).ended;
}

/** Starts a separate process. The caller must end it. */
export function startMusterProcess(args: readonly string[], { env = {}, stdin, cwd }: CliSettings = {}) {
  const child = spawn(process.execPath, [musterBinary, ...args], { env: cliEnvironment(env), cwd });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  child.stdin.on('error', () => {}); // a command that reads nothing may have ended already
  child.stdin.end(stdin ?? '');
  const ended = once(child, 'close').then(([code]): CliResult => ({ code, ...output }));
  return { child, output, ended };
}

export function runMusterProcess(args: readonly string[], settings: CliSettings = {}): Promise<CliResult> {
  return startMusterProcess(args, settings).ended;
}
