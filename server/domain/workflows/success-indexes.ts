/** Item indexes as text: numbers from 0 and spans of them in order, such as "0,3-5". */
import { MAX_ITEMS } from './workflow.ts';

export type Spans = readonly (readonly [number, number])[];

/** In characters. */
const MAX_TEXT = 4_096;
const SPAN = /^(\d{1,6})(?:-(\d{1,6}))?$/;

/** The spans, or the problem as the end of a sentence that begins with the field's name. */
export function parseIndexes(text: string): Spans | { readonly problem: string } {
  if (text.length > MAX_TEXT) return { problem: `is longer than ${MAX_TEXT} characters` };
  const spans: [number, number][] = [];
  for (const part of text.split(',')) {
    const [, first, last = first] = SPAN.exec(part) ?? [];
    if (first === undefined) return { problem: 'must be indexes from 0 and spans of them, such as "0,3-5"' };
    const span: [number, number] = [Number(first), Number(last)];
    const before = spans.at(-1)?.[1] ?? -1;
    if (span[0] > span[1] || span[0] <= before)
      return { problem: `has ${part} out of order; write each index once, in ascending order` };
    if (span[1] >= MAX_ITEMS) return { problem: `has ${part}; the highest index is ${MAX_ITEMS - 1}` };
    spans.push(span);
  }
  return spans;
}

export function indexesText(spans: Spans): string {
  return spans.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

export function countIn(spans: Spans): number {
  return spans.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}
