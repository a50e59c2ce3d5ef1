/** Handlers on the command line. */
import { InvalidArgumentError } from 'commander';
import {
  BOUNDS,
  type CommandSpec,
  DEFAULT_SPEC,
  type ExitRule,
  type OutputType,
  type SuspendSignal,
} from '../../../workers/exec/command-spec.ts';
import { spanToMs } from '../../domain/base/quantities.ts';
import { CliError } from '../failures/cli-error.ts';
import { bytes } from '../input/amounts.ts';
import { splitWords } from './words.ts';

/** Options about how the commands of the command line run; a file sets these for each handler. */
export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly passEnv?: readonly string[];
  readonly directory?: string;
  readonly output?: OutputType;
  readonly outputLimit?: number;
  readonly memory?: number;
  readonly openFiles?: number;
  readonly grace?: number;
  readonly suspendSignal?: SuspendSignal;
  readonly exitCode?: ReadonlyMap<number, ExitRule>;
}

export type NamedCommand = readonly [name: string, command: readonly string[]];

/** Parses `NAME=COMMAND`. */
export function namedCommand(text: string, before: readonly NamedCommand[] = []): NamedCommand[] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It takes NAME=COMMAND.');
  const name = text.slice(0, at);
  if (before.some(([other]) => other === name)) throw new InvalidArgumentError(`The handler "${name}" is given twice.`);
  const words = splitWords(text.slice(at + 1));
  if (words[0] === undefined || words[0] === '') throw new InvalidArgumentError('It names no command.');
  return [...before, [name, words]];
}

/** Parses `CODE=non-retryable`, `CODE=retry`, `CODE=retry:SPAN` or `CODE=infrastructure`. */
export function exitRule(text: string, before: ReadonlyMap<number, ExitRule> = new Map()): Map<number, ExitRule> {
  const [, digits, word, after] = /^(\d{1,3})=(non-retryable|retry|infrastructure)(?::(.+))?$/.exec(text) ?? [];
  const code = Number(digits);
  const retryDelayMs = after === undefined ? undefined : spanToMs(after);
  if (!(code >= 1 && code <= 255) || (after !== undefined && (word !== 'retry' || !isDelay(retryDelayMs))))
    throw new InvalidArgumentError(
      'It takes a code from 1 to 255 and what it means, such as 65=non-retryable, 75=retry, 75=retry:30s or 74=infrastructure.',
    );
  if (before.has(code)) throw new InvalidArgumentError(`The code ${code} is given twice.`);
  const rule: ExitRule = {
    nonRetryable: word === 'non-retryable',
    infrastructure: word === 'infrastructure',
    retryDelayMs,
  };
  return new Map([...before, [code, rule]]);
}

function isDelay(ms: number | undefined): boolean {
  const [least, most] = BOUNDS.retryDelayMs;
  return ms !== undefined && ms >= least && ms <= most;
}

export function outputLimit(text: string): number {
  const [, most] = BOUNDS.outputLimit;
  const limit = bytes(text);
  if (limit <= most) return limit;
  throw new InvalidArgumentError('It takes at most 512Ki: no server takes a longer result.');
}

export function variableName(text: string, before: readonly string[] = []): string[] {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text))
    throw new InvalidArgumentError('It takes the name of a variable, such as AWS_REGION.');
  return [...before, text];
}

/** The handlers of the command line, all with the same options; they run in `folder` unless an option names another. */
export function handlersOf(
  commands: readonly NamedCommand[],
  options: CommandOptions,
  folder: string,
): Map<string, CommandSpec> {
  const { env, passEnv, output, outputLimit, openFiles, grace } = options;
  const common = {
    environment: env ?? DEFAULT_SPEC.environment,
    passEnvironment: passEnv ?? DEFAULT_SPEC.passEnvironment,
    directory: options.directory ?? folder,
    output: output ?? DEFAULT_SPEC.output,
    outputLimit: outputLimit ?? DEFAULT_SPEC.outputLimit,
    memory: options.memory,
    openFiles: openFiles ?? DEFAULT_SPEC.openFiles,
    graceMs: grace ?? DEFAULT_SPEC.graceMs,
    suspendSignal: options.suspendSignal ?? DEFAULT_SPEC.suspendSignal,
    exitRules: options.exitCode ?? DEFAULT_SPEC.exitRules,
  };
  return new Map(commands.map(([name, command]) => [name, { ...common, command }]));
}

/** @throws CliError if options of the command line are combined with a file of handlers. */
export function refuseWithFile(options: CommandOptions): void {
  const flags: Readonly<Record<keyof CommandOptions, string>> = {
    env: '--env',
    passEnv: '--pass-env',
    directory: '--directory',
    output: '--output',
    outputLimit: '--output-limit',
    memory: '--memory',
    openFiles: '--open-files',
    grace: '--grace',
    suspendSignal: '--suspend-signal',
    exitCode: '--exit-code',
  };
  for (const [name, flag] of Object.entries(flags))
    if (options[name as keyof CommandOptions] !== undefined)
      throw new CliError({ message: `${flag} does not go with --file`, next: 'set it in the file, for each handler' });
}
