/** The input of a trigger's job: what caused it, as JSON. */
import type { Firing, HeldCause } from './advance.ts';
import type { CauseValue } from './cause-expressions.ts';

/** A cause as it was stored. */
export interface CauseContent {
  /** Without the payload. */
  readonly value: CauseValue;
  /** The payload of a signal as text of JSON, exactly as it came. Undefined: none, or no JSON. */
  readonly payload: string | undefined;
}

/** Bytes of a cause without payload and labels, at most. */
const MARGIN = 1_024;

/** Rows whose payloads are left out so that the input has at most `maxBytes`, the largest first. */
export function payloadsLeftOut({ causes }: Pick<Firing, 'causes'>, maxBytes: number): ReadonlySet<number> {
  const left = new Set<number>();
  let bytes = causes.reduce((sum, cause) => sum + cause.bytes + MARGIN, MARGIN);
  for (const { rowId, bytes: own } of causes.toSorted((a, b) => b.bytes - a.bytes)) {
    if (bytes <= maxBytes || own === 0) break;
    left.add(rowId);
    bytes -= own;
  }
  return left;
}

/** `contentOf` is asked for each cause. Labels of jobs are left out if the input would have more than `maxBytes`. */
export function inputOfFiring(
  trigger: string,
  { key, causes }: Firing,
  contentOf: (cause: HeldCause) => CauseContent,
  maxBytes: number,
): Uint8Array {
  const leftOut = payloadsLeftOut({ causes }, maxBytes);
  const head = JSON.stringify({ trigger, key }).slice(0, -1);
  const inputWith = (hasLabels: boolean) => {
    const texts = causes.map((cause) => causeText(cause, contentOf(cause), leftOut.has(cause.rowId), hasLabels));
    return new TextEncoder().encode(`${head},"causes":[${texts.join(',')}]}`);
  };
  const input = inputWith(true);
  return input.length <= maxBytes ? input : inputWith(false);
}

function causeText(
  { number, count }: HeldCause,
  { value, payload }: CauseContent,
  isLeftOut: boolean,
  hasLabels: boolean,
): string {
  const { labels, ...rest } = value;
  const own = labels === undefined ? {} : hasLabels ? { labels } : { labels_omitted: true };
  const text = JSON.stringify({ condition: number, count, ...rest, ...own });
  if (value.kind !== 'signal') return text;
  const shown = isLeftOut ? '"payload":null,"payload_omitted":true' : `"payload":${payload ?? 'null'}`;
  return `${text.slice(0, -1)},${shown}}`;
}
