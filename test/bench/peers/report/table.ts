/** The results as tables in Markdown, with the ratio of each value to Muster's. */
import type { Column } from '../measure.ts';
import type { MeasureResult, Outcome } from '../results.ts';

const FIRST = 'Muster';

export function format(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: 0 });
}

/** How many times better Muster is; below 1 it is worse. Undefined for Muster itself and for values without a ratio. */
export function ratio(column: Column, ours: number | undefined, theirs: number): number | undefined {
  if (!column.better || ours === undefined) return undefined;
  return column.better === 'higher' ? ours / theirs : theirs / ours;
}

function row(name: string, outcome: Outcome, result: MeasureResult): string {
  const columns = Object.entries(result.columns);
  if ('notRun' in outcome)
    return `| ${name} | ${[`not run: ${outcome.notRun}`, ...columns.slice(1).map(() => '')].join(' | ')} |`;
  const first = result.peers[FIRST];
  const cells = columns.map(([key, column]) => {
    const value = outcome.values[key] as number;
    if (!Number.isFinite(value)) return 'not reached';
    const ours = first && 'values' in first && name !== FIRST ? first.values[key] : undefined;
    const times = ratio(column, ours, value);
    return `${format(value)} ${column.unit}${times === undefined ? '' : ` (${times.toFixed(2)})`}`;
  });
  return `| ${name} | ${cells.join(' | ')} |`;
}

/** One table; in brackets how many times better Muster's value is. */
export function table(result: MeasureResult): string {
  const titles = Object.values(result.columns).map(({ title }) => title);
  const lines = [`| | ${titles.join(' | ')} |`, `|---|${titles.map(() => '---').join('|')}|`];
  for (const [name, outcome] of Object.entries(result.peers)) lines.push(row(name, outcome, result));
  return `${result.title}\n\n${lines.join('\n')}\n`;
}
