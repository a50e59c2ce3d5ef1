/** Handlers in a YAML or JSON file. */
import { dirname, resolve } from 'node:path';
import {
  BOUNDS,
  type CommandSpec,
  DEFAULT_SPEC,
  type ExitRule,
  OUTPUT_TYPES,
  SUSPEND_SIGNALS,
} from '../../../workers/exec/command-spec.ts';
import { amountToNumber, spanToMs } from '../../domain/base/quantities.ts';
import type { CommandProcess } from '../command-process.ts';
import { CliError } from '../failures/cli-error.ts';
import { readDocuments } from '../input/documents.ts';
import { Fields } from './fields.ts';

const NEXT = 'muster worker exec --help shows what one looks like';

/** @throws CliError that names each invalid field. */
export async function readHandlers(process: CommandProcess, file: string): Promise<Map<string, CommandSpec>> {
  const [document, ...more] = await readDocuments(process, file, NEXT);
  if (more.length > 0) throw new CliError({ message: `${file} holds more than one document`, next: NEXT });
  const folder = file === '-' ? process.cwd() : dirname(resolve(process.cwd(), file));
  return parseHandlers(document?.value, document?.where ?? file, folder);
}

/** `folder`: base of relative directories in the file. */
export function parseHandlers(value: unknown, where: string, folder: string): Map<string, CommandSpec> {
  const faults: string[] = [];
  const fields = new Fields(value, '', faults);
  const handlers = new Map<string, CommandSpec>();
  for (const [name, fieldsOfOne] of fields.entries('handlers')) handlers.set(name, commandSpec(fieldsOfOne, folder));
  fields.refuseOthers();
  if (faults.length === 0 && handlers.size === 0) faults.push('handlers: names none');
  if (faults.length === 0) return handlers;
  throw new CliError({
    message: 'the file of handlers is wrong; nothing was started',
    details: faults.map((fault) => `${where}: ${fault}`),
    next: NEXT,
  });
}

function commandSpec(fields: Fields, folder: string): CommandSpec {
  const command = fields.texts('command');
  if (!command?.[0]) fields.fault('command', 'takes a list of a program and its arguments, such as [tr, a-z, A-Z]');
  const rules = [...fields.entries('exitCodes')].map(([code, rule]) => [exitCode(code, rule), exitRule(rule)] as const);
  const spec: CommandSpec = {
    command: command ?? [],
    environment: fields.textMap('environment') ?? DEFAULT_SPEC.environment,
    passEnvironment: fields.texts('passEnvironment') ?? DEFAULT_SPEC.passEnvironment,
    directory: resolve(folder, fields.text('directory') ?? '.'),
    output: fields.choice('output', OUTPUT_TYPES) ?? DEFAULT_SPEC.output,
    outputLimit:
      fields.quantity('outputLimit', amountToNumber, BOUNDS.outputLimit, 'bytes up to 512Ki, such as 64Ki') ??
      DEFAULT_SPEC.outputLimit,
    memory: fields.quantity('memory', amountToNumber, BOUNDS.memory, 'bytes, such as 512Mi'),
    openFiles:
      fields.quantity('openFiles', amountToNumber, BOUNDS.openFiles, 'a whole number from 16 to 1048576') ??
      DEFAULT_SPEC.openFiles,
    graceMs: fields.quantity('grace', spanToMs, BOUNDS.graceMs, 'a span up to 1h, such as 5s') ?? DEFAULT_SPEC.graceMs,
    suspendSignal: fields.choice('suspendSignal', SUSPEND_SIGNALS) ?? DEFAULT_SPEC.suspendSignal,
    exitRules: new Map(rules),
  };
  fields.refuseOthers();
  return spec;
}

function exitCode(text: string, rule: Fields): number {
  const code = Number(text);
  if (!/^\d{1,3}$/.test(text) || code < 1 || code > 255) rule.fault('', 'is not an exit code from 1 to 255');
  return code;
}

function exitRule(fields: Fields): ExitRule {
  const rule: ExitRule = {
    type: fields.text('type'),
    nonRetryable: fields.flag('nonRetryable'),
    infrastructure: fields.flag('infrastructure'),
    retryDelayMs: fields.quantity('retryDelay', spanToMs, BOUNDS.retryDelayMs, 'a span up to 30d, such as 30s'),
  };
  const said = [rule.nonRetryable, rule.infrastructure, rule.retryDelayMs !== undefined].filter(Boolean);
  if (said.length > 1) fields.fault('', 'takes one of nonRetryable, infrastructure and retryDelay');
  fields.refuseOthers();
  return rule;
}
