/** Which steps come before which. */
import type { Needs } from './needs.ts';

/** A step that refers to another one by name. */
export interface Reference {
  readonly from: number;
  readonly to: number;
}

/**
 * The references that do not lead to an earlier step. `order` comes from `orderOf`; steps that are not in it are
 * ignored. Each step has a bit set with one bit per referenced step: all pairs of 10,000 steps take 12 MB and a few ms.
 */
export function notBefore(needs: Needs, order: readonly number[], references: readonly Reference[]): Reference[] {
  const far = references.filter(({ from, to }) => !needs.of[from]?.includes(to));
  if (far.length === 0) return [];
  const columns = new Map([...new Set(far.map(({ to }) => to))].map((to, i) => [to, i]));
  const words = Math.ceil(columns.size / 32);
  const before = new Uint32Array(words * needs.of.length);
  for (const number of order)
    for (const need of needs.of[number] as readonly number[]) {
      for (let word = 0; word < words; word++)
        before[number * words + word] = (before[number * words + word] ?? 0) | (before[need * words + word] ?? 0);
      const column = columns.get(need);
      if (column === undefined) continue;
      const at = number * words + (column >> 5);
      before[at] = (before[at] ?? 0) | (1 << (column & 31));
    }
  const ordered = new Set(order);
  return far.filter(({ from, to }) => {
    const column = columns.get(to) as number;
    return ordered.has(from) && ((before[from * words + (column >> 5)] ?? 0) & (1 << (column & 31))) === 0;
  });
}
