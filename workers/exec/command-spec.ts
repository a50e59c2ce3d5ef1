/** The command of a handler, and its limits. */

/** `auto`: JSON if stdout is JSON, else text if it is UTF-8, else bytes; nothing if it is empty. */
export const OUTPUT_TYPES = ['auto', 'json', 'text', 'bytes'] as const;
export type OutputType = (typeof OUTPUT_TYPES)[number];

/** Meaning of an exit code. */
export interface ExitRule {
  /** Type of the failure. Default: `ExitCode`. */
  readonly type?: string | undefined;
  /** Whether another attempt would fail too. Default: false. */
  readonly nonRetryable?: boolean | undefined;
  /** Time until the next attempt, in milliseconds. Default: the retry policy's backoff. */
  readonly retryDelayMs?: number | undefined;
  /** Whether the machine is at fault; the attempt then does not count. Default: false. */
  readonly infrastructure?: boolean | undefined;
}

/** SIGTSTP says just that: programs that know nothing of it are not stopped by it in a session without a terminal. */
export const SUSPEND_SIGNALS = ['SIGTSTP', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
export type SuspendSignal = (typeof SUSPEND_SIGNALS)[number];

export interface CommandSpec {
  /**
   * Program and arguments. `{input}` in an argument is replaced by the path of the input file. No shell is involved.
   */
  readonly command: readonly string[];
  /** Variables of the process, in addition to the inherited ones. */
  readonly environment: Readonly<Record<string, string>>;
  /** Variables of the worker that are passed on if they are set. */
  readonly passEnvironment: readonly string[];
  /** Working directory. */
  readonly directory: string;
  readonly output: OutputType;
  /** Maximum bytes of stdout. */
  readonly outputLimit: number;
  /** Maximum bytes of memory of the process and its descendants together. `undefined`: no limit. */
  readonly memory: number | undefined;
  /** Maximum number of open files per process. */
  readonly openFiles: number;
  /** Time from SIGTERM to SIGKILL, and from `suspendSignal` to SIGTERM, in milliseconds. */
  readonly graceMs: number;
  /** Asks the command to save a checkpoint and to end, because its job was paused. */
  readonly suspendSignal: SuspendSignal;
  /** Rules by exit code; they take precedence over `DEFAULT_EXIT_RULES`. */
  readonly exitRules: ReadonlyMap<number, ExitRule>;
}

export const DEFAULT_SPEC: Omit<CommandSpec, 'command' | 'directory'> = {
  environment: {},
  passEnvironment: [],
  output: 'auto',
  outputLimit: 512 * 1024,
  memory: undefined,
  openFiles: 1_024,
  graceMs: 5_000,
  suspendSignal: 'SIGTSTP',
  exitRules: new Map(),
};

const nonRetryable: ExitRule = { nonRetryable: true };

/** Minimum and maximum of each setting. */
export const BOUNDS = {
  /** No server accepts a longer result. */
  outputLimit: [1, 512 * 1024],
  memory: [1, Number.MAX_SAFE_INTEGER],
  openFiles: [16, 1_048_576],
  graceMs: [0, 3_600_000],
  retryDelayMs: [0, 30 * 24 * 3_600_000],
} as const;

/** The codes of sysexits.h and of shells after which another attempt would fail too. All others are retried. */
export const DEFAULT_EXIT_RULES: ReadonlyMap<number, ExitRule> = new Map([
  [64, nonRetryable], // EX_USAGE: it was called in a wrong way
  [65, nonRetryable], // EX_DATAERR: its input is wrong
  [77, nonRetryable], // EX_NOPERM: it may not do that
  [78, nonRetryable], // EX_CONFIG: it is set up wrongly
  [126, nonRetryable], // found by a shell, and no program
  [127, nonRetryable], // not found by a shell
]);
