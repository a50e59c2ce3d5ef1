/** What a handler runs, and within which bounds. */

/** `auto`: JSON where stdout is JSON, else text where it is UTF-8, else bytes; nothing where it is empty. */
export const OUTPUT_TYPES = ['auto', 'json', 'text', 'bytes'] as const;
export type OutputType = (typeof OUTPUT_TYPES)[number];

/** What an exit code means. */
export interface ExitRule {
  /** Type of the failure. Default: `ExitCode`. */
  readonly type?: string | undefined;
  /** Whether another attempt can't help. Default: false. */
  readonly final?: boolean | undefined;
  /** Time until the next attempt, in milliseconds. Default: what the retry policy says. */
  readonly retryDelayMs?: number | undefined;
  /** Whether the machine is to blame, which costs no attempt. Default: false. */
  readonly infrastructure?: boolean | undefined;
}

export interface CommandSpec {
  /** Program and arguments. `{input}` in an argument is the file that has the input. No shell looks at them. */
  readonly command: readonly string[];
  /** Variables of the process, on top of the few that it gets anyway. */
  readonly environment: Readonly<Record<string, string>>;
  /** Variables of the worker that are passed on where they are set. */
  readonly passEnvironment: readonly string[];
  /** Where it runs. */
  readonly directory: string;
  readonly output: OutputType;
  /** Most bytes of stdout. */
  readonly outputLimit: number;
  /** Most bytes of memory that the process and its descendants take together. `undefined`: any. */
  readonly memory: number | undefined;
  /** Most files that a process of it has open. */
  readonly openFiles: number;
  /** Time from SIGTERM to SIGKILL, in milliseconds. */
  readonly graceMs: number;
  /** By exit code; these go before `DEFAULT_EXIT_RULES`. */
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
  exitRules: new Map(),
};

const final: ExitRule = { final: true };

/** Least and most that a specification may say. */
export const BOUNDS = {
  /** No server takes a longer result. */
  outputLimit: [1, 512 * 1024],
  memory: [1, Number.MAX_SAFE_INTEGER],
  openFiles: [16, 1_048_576],
  graceMs: [0, 3_600_000],
  retryDelayMs: [0, 30 * 24 * 3_600_000],
} as const;

/** Of sysexits.h and of shells, those after which the same would come again. All others are retried. */
export const DEFAULT_EXIT_RULES: ReadonlyMap<number, ExitRule> = new Map([
  [64, final], // EX_USAGE: it was called in a wrong way
  [65, final], // EX_DATAERR: its input is wrong
  [77, final], // EX_NOPERM: it may not do that
  [78, final], // EX_CONFIG: it is set up wrongly
  [126, final], // found by a shell, and no program
  [127, final], // not found by a shell
]);
