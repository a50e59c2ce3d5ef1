/** One run of a case against a worker, and what came of it. */
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
  /** What the worker does not offer: cases that need it are not run. Default: it offers all. */
  readonly without?: readonly Feature[];
  /** Workers at once. */
  readonly parallel: number;
  readonly signal: AbortSignal;
  /** How long a step waits for what it is about, where it says nothing else. Default: 15 s. */
  readonly patienceMs?: number;
  /** How often a case that was disturbed is run again, alone. Default: 2. */
  readonly again?: number;
  readonly onResult: (result: CaseResult) => void;
  /** Told of a case that was disturbed and is run again. */
  readonly onDisturbed?: (run: CaseRun) => void;
  /** Default: `watchDisturbance`. */
  readonly watch?: (lab: Lab) => DisturbanceWatch;
}

export interface CaseResult {
  readonly one: Case;
  readonly verdict: 'passed' | 'failed' | 'not offered';
  readonly ms: number;
  /** Why it did not pass. Empty: it did. */
  readonly why: string;
  /** The step that it failed in, and its number from 1. */
  readonly step: string;
  /** The last lines that the worker wrote, where it failed. */
  readonly words: readonly string[];
  /** What disturbed its runs that failed, in their order. */
  readonly disturbances: readonly string[];
}

export interface CaseRun extends Omit<CaseResult, 'verdict'> {
  /** `disturbed`: it failed, which need not be the worker's fault. */
  readonly verdict: CaseResult['verdict'] | 'disturbed';
}

/**
 * Undefined when the run was given up.
 *
 * @throws what is a fault of the kit's own.
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
