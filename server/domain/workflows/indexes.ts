/** Item indexes, as a text such as "0,3-5" and as spans. */
import { MAX_ITEMS } from './workflow.ts';

/** First and last index. */
export type Span = readonly [number, number];

const pattern = /^(\d+)(?:-(\d+))?$/;

/** Kubernetes' format: in order, without duplicates. */
export function parseIndexes(text: string): { readonly spans: readonly Span[] } | { readonly problem: string } {
  const spans: Span[] = [];
  let last = -1;
  for (const part of text.split(',')) {
    const [, from, to = from] = pattern.exec(part) ?? [];
    if (from === undefined)
      return { problem: `has "${part.slice(0, 40)}", which is neither an index nor a span; write it as 3 or 3-5` };
    const span: Span = [Number(from), Number(to)];
    if (span[1] >= MAX_ITEMS) return { problem: `has place ${to}; the highest is ${MAX_ITEMS - 1}` };
    if (span[0] > span[1]) return { problem: `has the span ${part}, which ends before it begins` };
    if (span[0] <= last) return { problem: `has ${part} after ${last}; write the indexes in order, each once` };
    spans.push(span);
    last = span[1];
  }
  return { spans };
}

/** Whether one of the spans contains the index; binary search, since spans are in order. */
export function includes(spans: readonly Span[], index: number): boolean {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const [first, last] = spans[middle] ?? [0, 0];
    if (index >= first && index <= last) return true;
    if (index < first) high = middle;
    else low = middle + 1;
  }
  return false;
}

/** Number of indexes in the spans that lie within a list of this size. */
export function countOf(spans: readonly Span[], size: number): number {
  return spans.reduce((sum, [first, last]) => sum + Math.max(0, Math.min(last, size - 1) - first + 1), 0);
}
