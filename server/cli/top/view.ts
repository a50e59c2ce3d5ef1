/** A snapshot as lines for a terminal, and as a document for programs. */
import type { JsonObject } from '@bufbuild/protobuf';
import type { Worker } from '@muster-jobs/sdk/grpc';
import { countText, spanText } from '../../view/times.ts';
import type { Output } from '../output/output.ts';
import { printable } from '../output/printable.ts';
import { Table } from '../output/table.ts';
import { ageText } from '../output/times.ts';
import { troubleOf } from '../output/worker-view.ts';
import { type QueueRow, queueRows, type Snapshot } from './snapshot.ts';

/** Deaf workers first, then the fullest. */
function sorted(workers: readonly Worker[]): Worker[] {
  const fill = ({ heldCount: held, slots }: Worker) => Number(held) / Math.max(1, slots);
  const byNeed = (a: Worker, b: Worker) => Number(b.deaf) - Number(a.deaf) || fill(b) - fill(a);
  return [...workers].sort((a, b) => byNeed(a, b) || (a.name < b.name ? -1 : 1));
}

function rateText(rate: number | undefined): string {
  if (rate === undefined) return '';
  return rate >= 100 ? String(Math.round(rate)) : rate.toFixed(1);
}

function ageOf(seconds: number | undefined): string {
  return seconds === undefined || seconds === 0 ? '' : spanText(seconds * 1_000);
}

function queueLines(out: Output, rows: readonly QueueRow[]): string[] {
  const table = new Table<QueueRow>(
    [
      { title: 'QUEUE', value: ({ queue }) => queue, min: 8 },
      {
        title: 'STATE',
        value: ({ paused }) => (paused ? 'paused' : 'open'),
        style: (text, { paused }) => (paused ? out.styled('magenta', text) : text),
      },
      { title: 'WAITING', value: ({ waiting }) => String(waiting) },
      { title: 'RUNNING', value: ({ running }) => String(running) },
      { title: 'SCHEDULED', value: ({ scheduled }) => String(scheduled) },
      { title: 'ENDED/S', value: ({ rate }) => rateText(rate) },
      { title: 'OLDEST', value: ({ oldest }) => ageOf(oldest) },
    ],
    out.width,
  );
  return rows.length > 0 ? table.lines(rows) : ['No queues: the first job of a queue creates it.'];
}

function workerLines(out: Output, workers: readonly Worker[]): string[] {
  const table = new Table<Worker>(
    [
      { title: 'WORKER', value: ({ name }) => name, min: 8 },
      {
        title: 'STATE',
        value: (worker) => troubleOf(worker) || 'open',
        style: (text, worker) => (troubleOf(worker) === '' ? text : out.styled('yellow', text)),
      },
      { title: 'HELD', value: ({ heldCount: held }) => String(held) },
      { title: 'SLOTS', value: ({ slots }) => String(slots) },
      { title: 'LAST BEAT', value: ({ beatTime }) => ageText(beatTime) },
    ],
    out.width,
  );
  return workers.length > 0 ? table.lines(sorted(workers)) : ['No workers: jobs wait until one is connected.'];
}

function summary({ workers }: Snapshot, rows: readonly QueueRow[]): string {
  const sum = (of: (row: QueueRow) => number) => rows.reduce((all, row) => all + of(row), 0);
  const slots = workers.reduce((all, worker) => all + worker.slots, 0);
  const deaf = workers.filter((worker) => worker.deaf).length;
  const rates = rows.flatMap(({ rate }) => rate ?? []);
  return [
    `${sum(({ waiting }) => waiting)} waiting`,
    `${sum(({ running }) => running)} running`,
    ...(rates.length > 0 ? [`${rateText(rates.reduce((all, rate) => all + rate, 0))} ended/s`] : []),
    `${countText(workers.length, 'worker')} with ${countText(slots, 'slot')}${deaf > 0 ? `, ${deaf} deaf` : ''}`,
  ].join(' · ');
}

/** @param rows Number of available lines. */
export function lines(
  out: Output,
  now: Snapshot,
  before: Snapshot | undefined,
  server: string,
  rows: number,
): string[] {
  const queues = queueRows(now, before);
  const title = `${out.styled('bold', `muster ${printable(server)}`)}  namespace ${printable(now.namespace)}`;
  const head = [title, summary(now, queues), ...(now.problem ? [`no rates and ages: ${printable(now.problem)}`] : [])];
  const workers = workerLines(out, now.workers);
  // On a screen that is too small, the queues get the lines that the first workers leave.
  const forWorkers = Math.min(workers.length, Math.max(4, Math.floor((rows - head.length - 2) / 2)));
  const forQueues = Math.max(3, rows - head.length - 2 - forWorkers);
  return [...head, '', ...cut(queueLines(out, queues), forQueues), '', ...cut(workers, forWorkers)];
}

function cut(all: readonly string[], space: number): string[] {
  return all.length <= space ? [...all] : [...all.slice(0, space - 1), `… ${all.length - space + 1} more`];
}

/** Without unknown values. */
export function documentOf(now: Snapshot, before: Snapshot | undefined): JsonObject {
  return {
    namespace: now.namespace,
    queues: queueRows(now, before).map(({ rate, oldest, ...row }) => ({
      ...row,
      ...(rate === undefined ? {} : { endedPerSecond: rate }),
      ...(oldest === undefined ? {} : { oldestSeconds: oldest }),
    })),
    workers: sorted(now.workers).map((worker) => ({
      name: worker.name,
      sessionId: worker.sessionId,
      state: troubleOf(worker) || 'open',
      held: Number(worker.heldCount),
      slots: worker.slots,
      deaf: worker.deaf,
    })),
    ...(now.problem === '' ? {} : { problem: now.problem }),
  };
}
