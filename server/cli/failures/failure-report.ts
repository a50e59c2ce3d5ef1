/** Reports a failure: what happened, in which field, why, and what to do next. */
import { styleText } from 'node:util';
import { Code, MusterError } from '@muster-jobs/sdk/grpc';
import type { CommandStream } from '../command-process.ts';
import { Interrupted } from '../invocation.ts';
import { printable, printableLines } from '../output/printable.ts';
import { CliError } from './cli-error.ts';
import { Exit, exitOfStatus } from './exit-codes.ts';
import { hintFor, optionFor } from './hints.ts';
import { asTyped } from './typed-command.ts';

export interface FailureReport {
  readonly message: string;
  /** Name of the gRPC status. Empty: the error is not from a server. */
  readonly code: string;
  /** Stable reason. Empty: none. */
  readonly reason: string;
  readonly details: readonly string[];
  readonly fields: readonly { readonly field: string; readonly description: string }[];
  readonly next: string;
  readonly exitCode: number;
}

const NONE = { code: '', reason: '', details: [], fields: [], next: '' };
const CODE_NAMES = new Map<number, string>(Object.entries(Code).map(([name, code]) => [code, name]));

/** @param server Address that the command talked to. */
export function reportOf(error: unknown, server: string): FailureReport {
  if (error instanceof CliError) {
    const { message, details, next, exitCode } = error;
    return { ...NONE, message, details, next, exitCode };
  }
  if (error instanceof MusterError) return ofCall(error, server);
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { ...NONE, message, exitCode: Exit.UNEXPECTED, next: 'this is a bug in Muster: please report it' };
}

function ofCall(error: MusterError, server: string): FailureReport {
  const facts = {
    code: CODE_NAMES.get(error.code) ?? String(error.code),
    reason: error.reason,
    fields: error.fieldViolations,
    details: [],
    exitCode: exitOfStatus(error.code, error.reason),
  };
  if (error.reason !== '') return { ...facts, message: messageOf(error), next: nextOf(error) };
  if (error.code === Code.UNAVAILABLE) {
    const next = nextWhenUnreachable(error.message);
    return { ...facts, message: `can't reach Muster at ${server}: ${whyUnreachable(error.message)}`, next };
  }
  if (error.code === Code.DEADLINE_EXCEEDED)
    return { ...facts, message: `Muster at ${server} did not answer in time`, next: 'try again' };
  if (error.code === Code.UNIMPLEMENTED)
    return { ...facts, message: `${server} does not know this call`, next: 'is it a Muster of this release?' };
  return { ...facts, message: `${server} answered: ${error.message}`, next: '' };
}

/** With field violations, the message would only repeat the first of them. */
function messageOf({ message, fieldViolations }: MusterError): string {
  if (fieldViolations.length === 0) return message;
  return fieldViolations.length === 1 ? 'a value was refused' : `${fieldViolations.length} values were refused`;
}

function nextOf(error: MusterError): string {
  const hint = hintFor(error.reason);
  const { retryDelayMs } = error;
  if (hint !== '' || retryDelayMs === undefined) return hint;
  return `try again in ${Math.ceil(retryDelayMs / 1_000)} s`;
}

/** The network's error, without the library's text around it. */
function whyUnreachable(message: string): string {
  const last = /.*Last error: (.*?)(?:\. Resolution note:.*)?$/s.exec(message)?.[1];
  return (last ?? message)
    .replace(/^Error: /, '')
    .replace(/ \(\d{4}-\d\d-\d\dT[^)]*\)$/, '')
    .trim();
}

function nextWhenUnreachable(message: string): string {
  if (message.includes('Protocol error'))
    return 'the port does not speak gRPC: --server takes the gRPC port (7070 by default), not the HTTP port (7080)';
  if (message.includes('Name resolution failed')) return 'is the name right? --server takes HOST:PORT';
  return 'is it running there? muster start starts one on this machine; --server HOST:PORT names another';
}

/** Writes the report to stderr: text, or a JSON document for programs. Returns the exit code. */
export function writeReport(error: unknown, server: string, stderr: CommandStream, json: boolean): number {
  if (error instanceof Interrupted) return error.exitCode;
  const report = reportOf(error, server);
  stderr.write(json ? `${JSON.stringify({ error: report })}\n` : text(report, stderr));
  return report.exitCode;
}

function text({ message, details, fields, reason, next }: FailureReport, stream: CommandStream): string {
  const style = (styles: Parameters<typeof styleText>[0], words: string) => styleText(styles, words, { stream });
  const [first = '', ...rest] = printableLines(message);
  const lines = [`${style(['red', 'bold'], 'muster:')} ${first}`, ...rest.map((line) => `  ${line}`)];
  for (const detail of details) lines.push(`  ${printable(detail)}`);
  for (const { field, description } of fields)
    lines.push(`  ${style('bold', fieldText(field))}: ${printable(description)}`);
  if (reason !== '') lines.push(`  ${style('dim', 'reason')}  ${printable(reason)}`);
  if (next !== '') lines.push(`  ${style('dim', 'next')}    ${asTyped(next)}`);
  return `${lines.join('\n')}\n`;
}

function fieldText(field: string): string {
  const option = optionFor(field);
  return `${printable(field) || 'the request'}${option === '' ? '' : ` (${option})`}`;
}
