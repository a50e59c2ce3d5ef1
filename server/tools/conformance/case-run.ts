/** One run of a case against a worker, and its result. */
import type { Case } from './case.ts';
import type { DisturbanceWatch } from './disturbance.ts';
import { NotOffered, Unfulfilled } from './failures.ts';
import type { Feature } from './features.ts';
import type { Lab } from './lab.ts';
import { Prng } from './prng.ts';
import { Stage } from './stage.ts';
import { endText } from './worker-process.ts';

export interface KitOptions {
  readonly command: readonly string[];
  readonly cases: readonly Case[];
  readonly seed: number;
  /** Features that the worker does not support: cases that need them are not run. Default: it supports all. */
  readonly without?: readonly Feature[];
  /** Maximum concurrent workers. */
  readonly parallel: number;
  readonly signal: AbortSignal;
  /** Default timeout of a step. Default: 15 s. */
  readonly patienceMs?: number;
  /** Maximum repeats of a disturbed case, run alone. Default: 2. */
  readonly again?: number;
  readonly onResult: (result: CaseResult) => void;
  /** Called for a case that was disturbed and is run again. */
  readonly onDisturbed?: (run: CaseRun) => void;
  /** Default: `watchDisturbance`. */
  readonly watch?: (lab: Lab) => DisturbanceWatch;
}

export interface CaseResult {
  readonly one: Case;
  readonly verdict: 'passed' | 'failed' | 'not offered';
  readonly ms: number;
  /** Why it did not pass. Empty: it passed. */
  readonly why: string;
  /** The step that failed, with its number from 1. */
  readonly step: string;
  /** The last lines of the worker's output, if it failed. */
  readonly words: readonly string[];
  /** The disturbances of its failed runs, in order. */
  readonly disturbances: readonly string[];
}

export interface CaseRun extends Omit<CaseResult, 'verdict'> {
  /** `disturbed`: it failed, which may not be the worker's fault. */
  readonly verdict: CaseResult['verdict'] | 'disturbed';
}

/**
 * Undefined if the run was aborted.
 *
 * @throws Errors of the kit itself.
 */
export async function runCase(
  one: Case,
  lab: Lab,
  watch: DisturbanceWatch,
  options: KitOptions,
): Promise<CaseRun | undefined> {
  const startedAt = performance.now();
  const stage = new Stage(lab, new Prng(options.seed, one.name), options);
  let at = 0;
  let error: unknown;
  try {
    for (const step of one.steps) {
      at++;
      await step.run(stage);
    }
    stage.checkRules();
  } catch (reason) {
    error = reason;
  }
  if (options.signal.aborted) return undefined;
  const facts = { one, ms: performance.now() - startedAt, why: '', step: '', words: [], disturbances: [] };
  if (error === undefined) return { ...facts, verdict: 'passed' };
  const step = `step ${at} of ${one.steps.length}: ${one.steps[at - 1]?.text ?? ''}`;
  if (error instanceof NotOffered) return { ...facts, verdict: 'not offered', why: error.message, step };
  if (!(error instanceof Unfulfilled)) throw error;
  const failure = { ...facts, why: error.message, step, words: wordsOf(lab) };
  const seen = watch.seen();
  if (seen === undefined) return { ...failure, verdict: 'failed' };
  return { ...failure, verdict: 'disturbed', disturbances: [seen] };
}

function wordsOf({ process }: Lab): string[] {
  const end = process?.ended ? [`(it ended with ${endText(process.ended)})`] : [];
  return [...(process?.lastWords() ?? []), ...end];
}
