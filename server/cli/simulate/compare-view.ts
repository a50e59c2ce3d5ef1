/** Two runs of the same arrivals, side by side. */
import type { GroupReport, SimulationReport } from '../../tools/simulate/report/report-types.ts';
import { spanText } from '../../view/times.ts';
import type { Output } from '../output/output.ts';
import type { Column } from '../output/table.ts';
import { causesOfKey, heldBackText, refusedOf } from './report-view.ts';

interface Measure {
  readonly title: string;
  readonly value: (group: GroupReport) => number | undefined;
  readonly text: (value: number) => string;
}

const number = (value: number) => value.toLocaleString('en-US');

const measures: readonly Measure[] = [
  { title: 'wait p50', value: ({ wait }) => wait?.p50, text: spanText },
  { title: 'wait p90', value: ({ wait }) => wait?.p90, text: spanText },
  { title: 'wait p99', value: ({ wait }) => wait?.p99, text: spanText },
  { title: 'wait max', value: ({ wait }) => wait?.max, text: spanText },
  { title: 'longest queue', value: ({ longestQueue }) => longestQueue, text: number },
  { title: 'most at once', value: ({ mostAtOnce }) => mostAtOnce, text: number },
  { title: 'refused', value: refusedOf, text: number },
  { title: 'not succeeded', value: ({ failed, cancelled, expired }) => failed + cancelled + expired, text: number },
  { title: 'open', value: ({ open }) => open, text: number },
];

interface Line {
  readonly group: string;
  readonly measure: string;
  readonly was: string;
  readonly is: string;
  readonly change: string;
}

const columns: Column<Line>[] = [
  { title: 'OF', value: ({ group }) => group, min: 8 },
  { title: 'WHAT', value: ({ measure }) => measure },
  { title: 'AS IT WAS', value: ({ was }) => was, min: 10 },
  { title: 'AS CHANGED', value: ({ is }) => is, min: 10 },
  { title: 'CHANGE', value: ({ change }) => change },
];

export function showComparison(out: Output, was: SimulationReport, is: SimulationReport): void {
  const lines = [
    ...linesOf('all', was.all, is.all),
    ...['queues', 'definitions', 'keys'].flatMap((list) => groupLines(list as 'queues', was, is)),
    ...whole('all', 'time', was.spanMs, is.spanMs, spanText),
    ...workerLines(was, is),
  ];
  out.table(columns, lines);
}

function groupLines(list: 'queues' | 'definitions' | 'keys', was: SimulationReport, is: SimulationReport): Line[] {
  const kind = { queues: 'queue', definitions: 'definition', keys: 'key' }[list];
  const before = new Map(was[list].map((group) => [group.name, group]));
  // Only the keys that waited longest are reported, and they may differ between the runs.
  return is[list].flatMap((group) => {
    const other = before.get(group.name);
    return other ? linesOf(`${kind} ${group.name}`, other, group, kind === 'key' ? causesOfKey : undefined) : [];
  });
}

function linesOf(
  name: string,
  was: GroupReport,
  is: GroupReport,
  causeNames?: Readonly<Record<string, string>>,
): Line[] {
  const lines = measures.flatMap(({ title, value, text }) => whole(name, title, value(was), value(is), text));
  const [before, after] = [heldBackText(was, causeNames), heldBackText(is, causeNames)];
  if (before || after) lines.push({ group: name, measure: 'held back by', was: before, is: after, change: '' });
  return lines;
}

/** No line if the measure is zero in both. */
function whole(
  group: string,
  measure: string,
  was: number | undefined,
  is: number | undefined,
  text: (value: number) => string,
): Line[] {
  if (!was && !is) return [];
  const shown = (value: number | undefined) => (value === undefined ? '' : text(value));
  return [{ group, measure, was: shown(was), is: shown(is), change: changeText(was, is) }];
}

function changeText(was: number | undefined, is: number | undefined): string {
  if (was === undefined || is === undefined || was === 0 || was === is) return '';
  const percent = Math.round((100 * (is - was)) / was);
  if (percent === 0) return '';
  return `${percent > 0 ? '+' : '−'}${Math.abs(percent)} %`;
}

function workerLines(was: SimulationReport, is: SimulationReport): Line[] {
  const busy = ({ workers, slots }: SimulationReport) =>
    slots === 0 ? 0 : workers.reduce((sum, worker) => sum + worker.utilisation * worker.slots, 0) / slots;
  const text = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    ...whole('workers', 'slots', was.slots, is.slots, number),
    ...whole('workers', 'busy', busy(was), busy(is), text),
  ];
}
