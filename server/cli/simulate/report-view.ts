/** Shows the results of a simulation as tables. */
import {
  causes,
  type GroupReport,
  type SimulationReport,
  type WorkerReport,
} from '../../tools/simulate/report/report-types.ts';
import { countText, spanText } from '../../view/times.ts';
import type { Output } from '../output/output.ts';
import type { Column } from '../output/table.ts';

/** Names of the causes that held jobs back. */
const causeNames = {
  key: "its key's limit",
  definition: "the definition's limit",
  queue: "the queue's limit",
  workers: 'no free slot',
  rate: 'a rate',
  other: 'other',
} as const;

/** For a key, only these causes are distinguished. */
export const causesOfKey = { ...causeNames, other: 'something else' };

const ms = (value: number | undefined) => (value === undefined ? '' : spanText(value));
const many = (value: number) => (value === 0 ? '' : value.toLocaleString('en-US'));

export function refusedOf({ refused }: GroupReport): number {
  return Object.values(refused).reduce((sum, count) => sum + count, 0);
}

/** Such as `no free slot 1h 2m, a rate 4s`, longest first. */
export function heldBackText(
  { heldBackMs }: GroupReport,
  names: Readonly<Record<string, string>> = causeNames,
): string {
  return causes
    .filter((cause) => heldBackMs[cause] > 0)
    .sort((a, b) => heldBackMs[b] - heldBackMs[a])
    .map((cause) => `${names[cause]} ${spanText(heldBackMs[cause])}`)
    .join(', ');
}

function columns(title: string, names?: Readonly<Record<string, string>>): Column<GroupReport>[] {
  return [
    { title, value: ({ name }) => name, min: 8 },
    { title: 'ARRIVED', value: ({ arrived }) => many(arrived) },
    { title: 'REFUSED', value: (group) => many(refusedOf(group)) },
    { title: 'SUCCEEDED', value: ({ succeeded }) => many(succeeded) },
    { title: 'OTHERWISE', value: ({ failed, cancelled, expired }) => many(failed + cancelled + expired) },
    { title: 'OPEN', value: ({ open }) => many(open) },
    { title: 'WAIT P50', value: ({ wait }) => ms(wait?.p50) },
    { title: 'P90', value: ({ wait }) => ms(wait?.p90) },
    { title: 'P99', value: ({ wait }) => ms(wait?.p99) },
    { title: 'MAX', value: ({ wait }) => ms(wait?.max) },
    { title: 'RUN P50', value: ({ run }) => ms(run?.p50) },
    { title: 'QUEUED', value: ({ longestQueue }) => many(longestQueue) },
    { title: 'AT ONCE', value: ({ mostAtOnce }) => many(mostAtOnce) },
    { title: 'HELD BACK BY', value: (group) => heldBackText(group, names), min: 12 },
  ];
}

const workerColumns: Column<WorkerReport>[] = [
  { title: 'WORKER', value: ({ name }) => name },
  { title: 'SLOTS', value: ({ slots }) => String(slots) },
  { title: 'ATTEMPTS', value: ({ attempts }) => many(attempts) },
  { title: 'BUSY', value: ({ utilisation }) => `${(100 * utilisation).toFixed(1)} %` },
];

export function showReport(out: Output, report: SimulationReport): void {
  const { all, spanMs, queues, definitions, keys, keyCount, workers } = report;
  out.line(`${countText(all.arrived, 'job')} in ${spanText(spanMs)}`);
  showRefusals(out, all);
  if (all.open > 0) out.line(`${countText(all.open, 'job')} would never have ended: nothing lets them continue.`);
  out.line();
  out.table(columns('QUEUE'), queues);
  out.line();
  out.table(columns('DEFINITION'), definitions);
  if (keys.length > 0) {
    out.line();
    out.table(columns('KEY', causesOfKey), keys);
    if (keyCount > keys.length) out.line(`… of ${countText(keyCount, 'key')} those whose jobs waited longest`);
  }
  out.line();
  out.table(workerColumns, workers);
}

function showRefusals(out: Output, { refused, existing }: GroupReport): void {
  for (const [reason, count] of Object.entries(refused)) out.line(`${countText(count, 'job')} refused: ${reason}`);
  if (existing > 0) out.line(`${countText(existing, 'job')} the same as one that was there`);
}
