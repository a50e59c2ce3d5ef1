/**
 * The parts of its process that a command uses. A test passes an object of its own and runs the command in the test's
 * process.
 */
import { resolve } from 'node:path';

export type StopSignal = 'SIGINT' | 'SIGTERM';

export interface CommandStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  /** Set if it is a terminal. */
  readonly columns?: number;
  readonly rows?: number;
}

/** Options with a variable are the exception: commander reads these from the environment of the real process. */
export interface CommandProcess {
  /** Arguments start at index 2, as in `process.argv`. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: AsyncIterable<Buffer>;
  readonly stdout: CommandStream;
  readonly stderr: CommandStream;
  exitCode?: number | string | null | undefined;
  cwd(): string;
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  off(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  /** Ends the command at once. */
  exit(code: number): void;
}

/** The path of a file that the command names, for the real process, whose working directory may differ. */
export function pathOf(command: CommandProcess, file: string): string {
  const folder = command.cwd();
  return folder === process.cwd() ? file : resolve(folder, file);
}
