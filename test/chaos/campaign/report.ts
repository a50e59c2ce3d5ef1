/** The campaign as a table: what bit how often, and what was wrong. */
import type { SegmentResult } from './segment.ts';

export function reportOf(results: readonly SegmentResult[]): string {
  const bites = new Map<string, string[]>();
  for (const { bites: some } of results)
    for (const { fault, measured } of some) bites.set(fault, [...(bites.get(fault) ?? []), measured]);
  const rows = [...bites].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  const jobs = results.reduce((sum, { counts }) => sum + (counts['jobs accepted'] ?? 0), 0);
  const violations = results.flatMap(({ seed, violations: some }) => some.map((one) => `segment ${seed}: ${one}`));
  const notRun = [...new Set(results.flatMap(({ notRun: some = [] }) => some))];
  return [
    '| Fault | Times | Last measured |',
    '|---|---|---|',
    ...rows.map(([fault, measured]) => `| ${fault} | ${measured.length} | ${measured.at(-1)} |`),
    '',
    `${results.length} segments in ${Math.round(seconds / 60)} minutes, ${jobs} jobs, ${violations.length} violations.`,
    ...notRun.map((lack) => `not run: ${lack}`),
    ...violations,
  ].join('\n');
}
