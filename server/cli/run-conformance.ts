/** Runs conformance cases with progress, and reports the results. */
import { writeFile } from 'node:fs/promises';
import type { JsonValue } from '@bufbuild/protobuf';
import { nearName } from '../domain/base/near-name.ts';
import type { Case } from '../tools/conformance/case.ts';
import type { CaseResult, CaseRun } from '../tools/conformance/case-run.ts';
import type { Feature } from '../tools/conformance/features.ts';
import { NoBus } from '../tools/conformance/plane/bus.ts';
import { type CaseReport, type KitReport, reportOf } from '../tools/conformance/report.ts';
import { NoWorker, runKit } from '../tools/conformance/run-kit.ts';
import { allCases, selectCases } from '../tools/conformance/select.ts';
import { countText } from '../view/times.ts';
import { pathOf } from './command-process.ts';
import { CliError } from './failures/cli-error.ts';
import { Exit } from './failures/exit-codes.ts';
import type { Invocation } from './invocation.ts';
import type { Output } from './output/output.ts';
import { printable } from './output/printable.ts';
import { ProgressBar } from './output/progress.ts';
import type { Column } from './output/table.ts';

export interface ConformanceOptions {
  readonly case?: readonly string[];
  readonly without?: readonly Feature[];
  readonly list?: boolean;
  readonly report?: string;
  readonly seed: number;
  readonly parallel: number;
}

const HELP = 'muster conformance --help shows how a worker is run';

export async function runConformance(
  invocation: Invocation,
  command: readonly string[],
  options: ConformanceOptions,
): Promise<number> {
  const cases = chosen(options.case ?? []);
  if (options.list) {
    list(invocation.out, cases);
    return Exit.OK;
  }
  if (command.length === 0)
    throw new CliError({ message: 'no worker is named: its command comes after --', next: HELP });
  // Fails now if the file can't be written, not after minutes.
  if (options.report !== undefined) await write(pathOf(invocation.process, options.report), '');
  const report = await run(invocation, command, cases, options);
  if (options.report !== undefined)
    await write(pathOf(invocation.process, options.report), `${JSON.stringify(report, null, 2)}\n`);
  show(invocation.out, report);
  return report.failed > 0 ? Exit.CASES_FAILED : Exit.OK;
}

function chosen(patterns: readonly string[]): readonly Case[] {
  const { cases, unknown } = selectCases(patterns);
  if (unknown.length === 0) return cases;
  const names = allCases.map(({ name }) => name);
  const details = unknown.map((pattern) => {
    const near = nearName(pattern, names);
    return near === undefined ? pattern : `${pattern}; did you mean ${near}?`;
  });
  throw new CliError({ message: '--case names no case', details, next: 'muster conformance --list shows them' });
}

async function run(
  { signal, out }: Invocation,
  command: readonly string[],
  cases: readonly Case[],
  { seed, parallel, without = [] }: ConformanceOptions,
): Promise<KitReport> {
  const bar = new ProgressBar(out, 'cases', cases.length);
  const start = performance.now();
  const onResult = (result: CaseResult) => {
    if (result.verdict === 'failed' && !out.stderr.isTTY) out.note(`failed: ${result.one.name}`);
    bar.advance(1);
  };
  const onDisturbed = ({ one, disturbances }: CaseRun) =>
    out.note(`disturbed: ${one.name} runs again, alone, since ${disturbances.at(-1)}`);
  try {
    const results = await runKit({ command, cases, seed, parallel, without, signal, onResult, onDisturbed });
    signal.throwIfAborted();
    return reportOf({ command, seed, ms: Math.round(performance.now() - start) }, results);
  } catch (error) {
    if (error instanceof NoWorker) throw noWorker(error, command);
    if (error instanceof NoBus)
      throw new CliError({ message: `no bus to test with: ${error.message}`, exitCode: Exit.UNEXPECTED, cause: error });
    throw error;
  } finally {
    bar.stop();
  }
}

function noWorker(error: NoWorker, command: readonly string[]): CliError {
  return new CliError({
    message: printable(`${command.join(' ')}: ${error.message}`),
    details: error.words.map((line) => printable(line)),
    next: 'it must connect to the address in MUSTER_ADDRESS; muster conformance --help describes the rest',
    cause: error,
  });
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: Error) => {
    throw new CliError({
      message: `--report: ${error.message}`,
      next: 'name a file that can be written',
      cause: error,
    });
  });
}

function list(out: Output, cases: readonly Case[]): void {
  const rows = cases.map(({ name, rule, proves }) => ({ name, rule, proves }));
  if (out.json) for (const row of rows) out.item(row);
  else
    out.table(
      [
        { title: 'CASE', value: ({ name }) => name },
        { title: 'RULE', value: ({ rule }) => rule },
        { title: 'PROVES THAT', value: ({ proves }) => proves, min: 30 },
      ],
      rows,
    );
}

function columns(out: Output): Column<CaseReport>[] {
  const styles = { passed: 'green', failed: 'red', 'not offered': 'yellow' } as const;
  return [
    { title: 'CASE', value: ({ name }) => name },
    {
      title: 'VERDICT',
      value: ({ verdict }) => verdict,
      style: (text, { verdict }) => out.styled(styles[verdict], text),
    },
    { title: 'TIME', value: ({ ms }) => `${(ms / 1_000).toFixed(1)} s` },
    { title: 'RULE', value: ({ rule }) => rule, min: 12 },
    { title: 'PROVES THAT', value: ({ proves }) => proves, min: 30 },
  ];
}

function show(out: Output, report: KitReport): void {
  // Reports are plain values, which JSON can represent.
  if (out.json) out.document(report as unknown as JsonValue);
  else {
    out.table(columns(out), report.cases);
    for (const one of report.cases.filter(({ verdict }) => verdict === 'failed')) showFailure(out, one);
    out.line();
    for (const { name, why } of report.cases.filter(({ verdict }) => verdict === 'not offered'))
      out.line(`${name} is not offered: ${why}`);
    out.line(summary(report));
  }
  out.note(`Seed ${report.seed}; ${countText(report.cases.length, 'case')} in ${(report.ms / 1_000).toFixed(1)} s`);
}

function summary({ passed, failed, notOffered, disturbed }: KitReport): string {
  const parts = [`${passed} passed`, `${failed} failed`];
  if (notOffered > 0) parts.push(`${notOffered} not offered`);
  return `${parts.join(', ')}${disturbed > 0 ? `; ${countText(disturbed, 'case')} disturbed` : ''}`;
}

function showFailure(out: Output, { name, rule, proves, step, why, words, disturbances }: CaseReport): void {
  out.line();
  out.line(out.styled('bold', name));
  out.facts([
    ['rule', `docs/worker-protocol.md, "${rule}"`],
    ['wanted', proves],
    ['failed in', step],
    ['since', why],
    ...disturbances.map((seen, at) => [at === 0 ? 'disturbed' : ' ', seen] as const),
    ...words.map((line, at) => [at === 0 ? 'its last words' : ' ', line] as const),
  ]);
}
