/** Whether what clients saw of jobs, queues and keys can have happened, by `test/chaos/linearizable`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { go, lackOf } from '../../../workers/demo-polyglot/toolchains.ts';
import type { Operation } from '../load/registers.ts';

const source = new URL('../linearizable', import.meta.url).pathname;
const BUILD_MS = 300_000;
const TOTAL_MS = 60_000;
const EACH_MS = 10_000;
const MAX_TEXT = 3_000;

export interface Verdict {
  /** Number of objects whose operations can have happened in an order. */
  readonly linearizable: number;
  /** Objects of which the time did not suffice to know. */
  readonly unknown: readonly string[];
  readonly broken: readonly string[];
  readonly operations: number;
  /** Operations without an answer. */
  readonly open: number;
}

export interface Bounds {
  readonly totalMs?: number;
  readonly eachMs?: number;
}

export class LinearizabilityChecker {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** What this machine lacks for it; undefined: nothing. */
  static lack(): string | undefined {
    return lackOf(go);
  }

  static build(): LinearizabilityChecker {
    const folder = mkdtempSync(join(tmpdir(), 'muster-linearizable-'));
    const checker = new LinearizabilityChecker(folder);
    process.once('exit', () => checker.remove());
    execFileSync('go', ['build', '-o', programIn(folder), '.'], { cwd: source, stdio: 'inherit', timeout: BUILD_MS });
    return checker;
  }

  /** A process that ends by itself does that, too; a thread of vitest does not. */
  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The verdicts by kind of object. */
  check(history: readonly Operation[], { totalMs = TOTAL_MS, eachMs = EACH_MS }: Bounds = {}): Record<string, Verdict> {
    const { status, stdout, stderr, error } = spawnSync(
      programIn(this.#folder),
      ['-total', `${totalMs}ms`, '-each', `${eachMs}ms`],
      {
        input: history.map((operation) => JSON.stringify(operation)).join('\n'),
        encoding: 'utf8',
        timeout: 2 * totalMs + BUILD_MS,
        maxBuffer: 1 << 26,
      },
    );
    if (status !== 0) throw new Error(`the checker of linearizability has failed: ${error ?? stderr}`);
    return JSON.parse(stdout);
  }
}

const programIn = (folder: string) => join(folder, 'linearizable');

/** The operations on an object, in the order of their calls, as text. */
export function storyOf(object: string, history: readonly Operation[]): string {
  const of = history.filter((one) => `${one.kind} ${one.object}` === object).toSorted((a, b) => a.call - b.call);
  const lines = of.map(({ client, op, call, return: end, answer }) => {
    return `${client} ${op} ${call}–${end ?? ''} ${JSON.stringify(answer)}`;
  });
  return lines.join('\n').slice(0, MAX_TEXT);
}
