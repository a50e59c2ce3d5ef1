/** Which cases are to run. */
import type { Case } from './case.ts';
import { groups } from './cases/all.ts';

export const allCases: readonly Case[] = groups.flatMap(({ cases }) => cases);

/**
 * Those whose names fit a pattern, in their order; all where there is no pattern.
 *
 * @param patterns Names, in which `*` stands for anything.
 * @returns Also the patterns that fit none.
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
