/** Time spans and amounts in their written form. */

const SPAN_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const SPAN = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/;

const AMOUNT_UNITS: Readonly<Record<string, number>> = { '': 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };
const AMOUNT = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti)?$/;

/** Milliseconds of a span such as `90s`, `1h30m` or `2d`; undefined if the text is not a span. */
export function spanToMs(text: string): number | undefined {
  if (!SPAN.test(text)) return undefined;
  let ms = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)([a-z]+)/g))
    ms += Number(number) * (SPAN_UNITS[unit ?? ''] ?? 0);
  return ms;
}

/** The value of an amount such as `2`, `0.5` or `4Gi`; undefined if the text is not an amount. */
export function amountToNumber(text: string): number | undefined {
  const [, number, unit = ''] = AMOUNT.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * (AMOUNT_UNITS[unit] ?? 1);
}
