/** Selects the cases to run. */
import type { Case } from './case.ts';
import { groups } from './cases/all.ts';

export const allCases: readonly Case[] = groups.flatMap(({ cases }) => cases);

/**
 * The cases whose names match a pattern, in order; all cases if there is no pattern.
 *
 * @param patterns Names, in which `*` matches anything.
 * @returns Also the patterns without a match.
 */
export function selectCases(patterns: readonly string[]): {
  readonly cases: readonly Case[];
  readonly unknown: string[];
} {
  if (patterns.length === 0) return { cases: allCases, unknown: [] };
  const tests = patterns.map((pattern) => ({ pattern, regexp: regexpOf(pattern) }));
  const cases = allCases.filter(({ name }) => tests.some(({ regexp }) => regexp.test(name)));
  const unknown = tests.filter(({ regexp }) => !allCases.some(({ name }) => regexp.test(name)));
  return { cases, unknown: unknown.map(({ pattern }) => pattern) };
}

function regexpOf(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}
