/** Which steps come before which. */
import type { Needs } from './needs.ts';

/** A step that refers to another one by name. */
export interface Reference {
  readonly from: number;
  readonly to: number;
}

/** Words that are merged between two yields: some 10 ms. */
const STRETCH = 8_000_000;

/**
 * The references that do not lead to an earlier step. `order` comes from `orderOf`; steps that are not in it are
 * ignored. Each step has a bit set with one bit per referenced step: all pairs of 10,000 steps take 12 MB, and with a
 * million needs half a second. Yields now and then, so that the caller can do other work meanwhile.
 */
export function* notBefore(
  needs: Needs,
  order: readonly number[],
  references: readonly Reference[],
): Generator<void, Reference[]> {
  const far = farOf(needs, references);
  if (far.length === 0) return [];
  const columns = new Map([...new Set(far.map(({ to }) => to))].map((to, i) => [to, i]));
  const words = Math.ceil(columns.size / 32);
  const before = new Uint32Array(words * needs.of.length);
  let merged = 0;
  for (const number of order) {
    const own = before.subarray(number * words, (number + 1) * words);
    for (const need of needs.of[number] as readonly number[]) {
      const first = need * words;
      for (let word = 0; word < words; word++) own[word] = (own[word] ?? 0) | (before[first + word] ?? 0);
      const column = columns.get(need);
      if (column !== undefined) own[column >> 5] = (own[column >> 5] ?? 0) | (1 << (column & 31));
    }
    merged += words * (needs.of[number]?.length ?? 0);
    if (merged < STRETCH) continue;
    yield;
    merged = 0;
  }
  const ordered = new Set(order);
  return far.filter(({ from, to }) => {
    const column = columns.get(to) as number;
    return ordered.has(from) && ((before[from * words + (column >> 5)] ?? 0) & (1 << (column & 31))) === 0;
  });
}

/** Those to steps that are not needed directly. References of one step follow each other. */
function farOf(needs: Needs, references: readonly Reference[]): Reference[] {
  let known: { readonly from: number; readonly needed: ReadonlySet<number> } | undefined;
  return references.filter(({ from, to }) => {
    if (known?.from !== from) known = { from, needed: new Set(needs.of[from]) };
    return !known.needed.has(to);
  });
}
