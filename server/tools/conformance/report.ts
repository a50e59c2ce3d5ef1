/** The machine-readable report of a run. */
import type { CaseResult } from './case-run.ts';
import { groups } from './cases/all.ts';
import { allCases } from './select.ts';

export interface CaseReport {
  readonly name: string;
  readonly group: string;
  /** The section of docs/worker-protocol.md that it proves. */
  readonly rule: string;
  readonly proves: string;
  readonly verdict: CaseResult['verdict'];
  readonly ms: number;
  /** The failed step and the reason. Empty: it passed. */
  readonly step: string;
  readonly why: string;
  /** The last lines of the worker's output, if it failed. */
  readonly words: readonly string[];
  /** The disturbances of its failed runs, in order. */
  readonly disturbances: readonly string[];
}

export interface KitReport {
  readonly command: readonly string[];
  readonly seed: number;
  readonly ms: number;
  readonly passed: number;
  readonly failed: number;
  readonly notOffered: number;
  /** Disturbed cases, whatever their verdict. */
  readonly disturbed: number;
  readonly cases: readonly CaseReport[];
}

export interface RunFacts {
  readonly command: readonly string[];
  readonly seed: number;
  readonly ms: number;
}

/** Sorted by group, not by the order in which they ended. */
export function reportOf(facts: RunFacts, results: readonly CaseResult[]): KitReport {
  const order = new Map(allCases.map((one, at) => [one.name, at]));
  const sorted = [...results].sort((a, b) => (order.get(a.one.name) ?? 0) - (order.get(b.one.name) ?? 0));
  const count = (verdict: CaseResult['verdict']) => results.filter((result) => result.verdict === verdict).length;
  return {
    ...facts,
    passed: count('passed'),
    failed: count('failed'),
    notOffered: count('not offered'),
    disturbed: results.filter(({ disturbances }) => disturbances.length > 0).length,
    cases: sorted.map(caseReport),
  };
}

function caseReport({ one, verdict, ms, step, why, words, disturbances }: CaseResult): CaseReport {
  const { name, rule, proves } = one;
  const group = groups.find(({ cases }) => cases.includes(one))?.title ?? '';
  return { name, group, rule, proves, verdict, ms: Math.round(ms), step, why, words, disturbances };
}
