/** Writes the log and the summary report of a run in the form of IEEE 829. See docs/testing.md. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, release, type } from 'node:os';
import { join } from 'node:path';
import type { Reporter, TestCase, TestModule, TestRunEndReason, Vitest } from 'vitest/node';
import { type LeftOut, leftOutText } from './left-out.ts';

type State = ReturnType<TestCase['result']>['state'];

/** One case that has ended. */
export interface Entry {
  /** Path of the test file from the root. */
  readonly file: string;
  /** Name of the case with its enclosing groups. */
  readonly name: string;
  readonly state: State;
  readonly ms: number;
  /** The first lines of a failed case's message. */
  readonly said: string;
}

/** A test file, and its duration with imports and hooks. */
export interface FileTime {
  readonly file: string;
  readonly ms: number;
}

/** The facts of a run, without its cases. */
export interface Run {
  readonly began: Date;
  readonly ended: Date;
  /** Commit, machine and versions, in one line. */
  readonly environment: string;
  /** The command line of the run. */
  readonly procedure: string;
  /** Files that could not be loaded, and errors outside of cases. */
  readonly faults: readonly string[];
  /** Whether the run came to its end by itself. */
  readonly complete: boolean;
}

const FOLDER = 'test-results';
const SAID_CHARACTERS = 500;
const STATES: readonly State[] = ['passed', 'failed', 'skipped'];

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
const row = (...cells: readonly (string | number)[]) => `| ${cells.map((one) => cell(String(one))).join(' | ')} |`;
const head = (run: Run) =>
  `From ${run.began.toISOString()} to ${run.ended.toISOString()}.\nProcedure: ${run.procedure}\nEnvironment: ${run.environment}`;

/** The level of a case: its folder below `test/`. */
const levelOf = ({ file }: Entry) => file.split('/')[1] ?? file;

/** The test log: each case in the order of ends. */
export function logText(run: Run, entries: readonly Entry[]): string {
  const rows = entries.map(({ file, name, state, ms }) => row(state, Math.round(ms), file, name));
  return [
    '# Test log',
    head(run),
    [row('result', 'ms', 'file', 'case'), '|---|---|---|---|', ...rows].join('\n'),
    '',
  ].join('\n\n');
}

const SLOWEST = 10;

/** The slowest files, one per line. */
export function slowestText(times: readonly FileTime[]): string {
  const slowest = times.toSorted((a, b) => b.ms - a.ms).slice(0, SLOWEST);
  const lines = slowest.map(({ file, ms }) => `${(ms / 1_000).toFixed(1).padStart(8)} s  ${file}`);
  return ['slowest files:', ...lines, ''].join('\n');
}

/** The test summary report. */
export function summaryText(run: Run, entries: readonly Entry[]): string {
  const failed = entries.filter(({ state }) => state === 'failed');
  const skipped = entries.filter(({ state }) => state === 'skipped');
  const passed = run.complete && failed.length === 0 && run.faults.length === 0 && entries.length > 0;
  const incidents = [...failed.map(({ file, name, said }) => `${file}: ${name}: ${said}`), ...run.faults];
  const list = (items: readonly string[]) =>
    items.length > 0 ? items.map((item) => `- ${cell(item)}`).join('\n') : 'None.';
  return [
    '# Test summary report',
    head(run),
    `## Summary of results\n\n${totals(entries)}`,
    `## Variances\n\nCases that were skipped:\n\n${list(skipped.map(({ file, name }) => `${file}: ${name}`))}`,
    `## Incidents\n\n${list(incidents)}`,
    `## Evaluation\n\n${passed ? 'Passed' : 'Failed'}${run.complete ? '' : ': the run was broken off'}.`,
    '',
  ].join('\n\n');
}

function totals(entries: readonly Entry[]): string {
  const levels = Map.groupBy(entries, levelOf);
  const rows = [...levels].sort().map(([level, of]) => row(level, ...counts(of)));
  return [row('level', ...STATES), '|---|---|---|---|', ...rows, row('all', ...counts(entries))].join('\n');
}

const counts = (entries: readonly Entry[]) => STATES.map((one) => entries.filter(({ state }) => state === one).length);

function commit(root: string): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown commit';
  }
}

function timeOf(module: TestModule): number {
  const { collectDuration, duration, environmentSetupDuration, prepareDuration, setupDuration } = module.diagnostic();
  return collectDuration + duration + environmentSetupDuration + prepareDuration + setupDuration;
}

/** The reporter named in vitest.config.ts. */
export class TestReport implements Reporter {
  readonly #began = new Date();
  readonly #entries: Entry[] = [];
  readonly #leftOut: LeftOut[] = [];
  #root = '.';

  onInit(vitest: Vitest): void {
    this.#root = vitest.config.root;
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    const said = errors
      .map(({ message }) => message)
      .join('; ')
      .slice(0, SAID_CHARACTERS);
    const file = test.module.relativeModuleId;
    this.#entries.push({ file, name: test.fullName, state, ms: test.diagnostic()?.duration ?? 0, said });
    const { leftOut } = test.meta();
    if (leftOut) this.#leftOut.push(leftOut);
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly { readonly message: string }[],
    reason: TestRunEndReason,
  ): void {
    const broken = modules.flatMap((module) =>
      module.errors().map(({ message }) => `${module.relativeModuleId}: ${message}`),
    );
    const environment = [
      commit(this.#root),
      type(),
      release(),
      arch(),
      `${availableParallelism()} cores`,
      process.version,
    ];
    const run: Run = {
      began: this.#began,
      ended: new Date(),
      environment: environment.join(', '),
      procedure: process.env.MUSTER_TEST_COMMAND ?? `vitest ${process.argv.slice(2).join(' ')}`,
      faults: [...broken, ...errors.map(({ message }) => message)],
      complete: reason !== 'interrupted',
    };
    const folder = join(this.#root, FOLDER);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'test-log.md'), logText(run, this.#entries));
    writeFileSync(join(folder, 'test-summary.md'), summaryText(run, this.#entries));
    writeFileSync(join(folder, 'left-out.txt'), leftOutText(this.#leftOut));
    const times = modules.map((module) => ({ file: module.relativeModuleId, ms: timeOf(module) }));
    writeFileSync(join(folder, 'slowest.txt'), slowestText(times));
    const seconds = Object.fromEntries(times.map(({ file, ms }) => [file, ms / 1_000]));
    writeFileSync(join(folder, 'durations.json'), JSON.stringify(seconds));
  }
}
