/** Shows queues: state, limits and backlog. */
import { durationToMs, type Queue, type QueueCounts, type RateLimit } from '@muster-jobs/sdk/grpc';
import { countText, durationText } from '../../view/times.ts';
import type { Output } from './output.ts';
import type { Column } from './table.ts';
import { timeText } from './times.ts';

const SPANS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** In the form of `--rate`, to the millisecond. */
function rateText({ units, period, burst }: RateLimit): string {
  let left = durationToMs(period, 1_000);
  let span = '';
  for (const [unit, size] of SPANS) {
    const count = Math.floor(left / size);
    if (count > 0) span += `${count}${unit}`;
    left -= count * size;
  }
  return `${units}/${span}${burst === units ? '' : `:${burst}`}`;
}

function limitsText({ maxConcurrency, rateLimit }: Queue): string {
  const most = maxConcurrency === 0 ? '' : `${maxConcurrency} at once`;
  return [most, rateLimit ? rateText(rateLimit) : ''].filter(Boolean).join(', ');
}

function boundsText({ maxBacklog, maxBacklogAge }: Queue): string {
  return [maxBacklog > 0n ? String(maxBacklog) : '', durationText(maxBacklogAge)].filter(Boolean).join(', ');
}

export function queueColumns(out: Output): Column<Queue>[] {
  const count = (title: string, name: keyof Omit<QueueCounts, `$${string}`>): Column<Queue> => ({
    title,
    value: ({ counts }) => String(counts?.[name] ?? ''),
  });
  return [
    { title: 'QUEUE', value: ({ name }) => name },
    {
      title: 'STATE',
      value: ({ paused }) => (paused ? 'paused' : 'open'),
      style: (text, { paused }) => (paused ? out.styled('magenta', text) : text),
    },
    count('READY', 'ready'),
    count('LEASED', 'leased'),
    count('SCHEDULED', 'scheduled'),
    count('BLOCKED', 'blocked'),
    count('PAUSED', 'paused'),
    count('WAITING', 'waiting'),
    { title: 'LIMITS', value: limitsText, min: 6 },
    { title: 'BOUNDS', value: boundsText },
    { title: 'REMARK', value: ({ pauseReason, description }) => pauseReason || description, min: 6 },
  ];
}

export function showQueue(out: Output, queue: Queue): void {
  const { counts, paused, pauseReason, maxConcurrency, rateLimit, fairnessWeights } = queue;
  out.line(`${out.styled('bold', `Queue ${queue.name}`)}  ${paused ? out.styled('magenta', 'paused') : 'open'}`);
  out.facts(
    [
      ['namespace', queue.namespace],
      ['for', queue.description],
      ['paused for', pauseReason],
      ['held at most', maxConcurrency === 0 ? '' : String(maxConcurrency)],
      ['rate', rateLimit ? rateText(rateLimit) : ''],
      [
        'weights',
        Object.entries(fairnessWeights)
          .map(([key, weight]) => `${key}=${weight}`)
          .join(' '),
      ],
      ['most that wait', queue.maxBacklog > 0n ? countText(Number(queue.maxBacklog), 'job') : ''],
      ['longest wait', durationText(queue.maxBacklogAge)],
      ['made', timeText(queue.createTime)],
      ['etag', queue.etag],
      ['ready', String(counts?.ready ?? '')],
      ['leased to workers', String(counts?.leased ?? '')],
      ['scheduled', String(counts?.scheduled ?? '')],
      ['blocked', String(counts?.blocked ?? '')],
      ['paused jobs', String(counts?.paused ?? '')],
      ['waiting', String(counts?.waiting ?? '')],
    ],
    '  ',
  );
}
