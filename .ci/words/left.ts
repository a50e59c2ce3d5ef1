/** The hits still left to remove: a number for each file and scope, which may only shrink. */
import type { Scope } from './piece.ts';
import type { Hit } from './refusals.ts';

export type Counts = Readonly<Partial<Record<Scope, number>>>;
export type Left = Readonly<Record<string, Counts>>;

export interface Difference {
  readonly file: string;
  readonly scope: Scope;
  readonly was: number;
  readonly is: number;
}

export function countsOf(hits: readonly Hit[]): Counts {
  const counts: Partial<Record<Scope, number>> = {};
  for (const { scope } of hits) counts[scope] = (counts[scope] ?? 0) + 1;
  return counts;
}

export function differences(before: Left, now: Left): Difference[] {
  const files = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return files.flatMap((file) => {
    const was = before[file] ?? {};
    const is = now[file] ?? {};
    const scopes = [...new Set([...Object.keys(was), ...Object.keys(is)])] as Scope[];
    return scopes
      .map((scope) => ({ file, scope, was: was[scope] ?? 0, is: is[scope] ?? 0 }))
      .filter((difference) => difference.was !== difference.is);
  });
}

export function totals(left: Left): Counts {
  const sum: Partial<Record<Scope, number>> = {};
  for (const counts of Object.values(left))
    for (const [scope, count] of Object.entries(counts) as [Scope, number][]) sum[scope] = (sum[scope] ?? 0) + count;
  return sum;
}

/** Scopes whose total over all files has grown: a file may be moved or split, but no hit may be added. */
export function grown(before: Left, now: Left): Scope[] {
  const was = totals(before);
  return (Object.entries(totals(now)) as [Scope, number][])
    .filter(([scope, count]) => count > (was[scope] ?? 0))
    .map(([scope]) => scope);
}

/** One line per file, so that branches that clean different files merge. */
export function written(left: Left): string {
  const lines = Object.entries(left)
    .filter(([, counts]) => Object.keys(counts).length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, counts]) => `  ${JSON.stringify(file)}: ${JSON.stringify(counts, null, 1).replace(/\n */g, ' ')}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}
