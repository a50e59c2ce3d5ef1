/** What a command uses of its process. A test passes an object of its own, and the command runs within the test's process. */
import { resolve } from 'node:path';

export type StopSignal = 'SIGINT' | 'SIGTERM';

export interface CommandStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  /** Set where it is a terminal. */
  readonly columns?: number;
  readonly rows?: number;
}

/** Options that name a variable are the exception: commander reads these from the environment of the real process. */
export interface CommandProcess {
  /** Arguments begin at index 2, as in `process.argv`. */
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

/** The path by which the real process finds a file that the command names. */
export function pathOf(command: CommandProcess, file: string): string {
  const folder = command.cwd();
  return folder === process.cwd() ? file : resolve(folder, file);
}
