/** Shows triggers, their runs, and what they wait for. */
import { timestampDate } from '@bufbuild/protobuf/wkt';
import {
  type ExplainTriggerResponse,
  type HeldCause,
  OverlapPolicy,
  stateName,
  type Trigger,
  type TriggerCause,
  type TriggerCondition,
  type TriggerProgress,
  type TriggerRun,
} from '@muster-jobs/sdk/grpc';
import { countText, durationText } from '../../view/times.ts';
import type { Output } from './output.ts';
import { printable } from './printable.ts';
import { definitionText, runStateColumn, spelled, whyNoJobText } from './schedule-view.ts';
import type { Column } from './table.ts';
import { timeText } from './times.ts';

/** A condition in one line, without filters and keys, such as `asset orders and signal paid within 1d`. */
export function conditionText(condition: TriggerCondition | undefined, isPart = false): string {
  const kind = condition?.kind;
  if (kind?.case === undefined) return 'an unknown condition';
  if (kind.case === 'cause') return causeText(kind.value);
  const parts = kind.value.conditions.map((one) => conditionText(one, true));
  const within = kind.case === 'allOf' && kind.value.within ? ` within ${durationText(kind.value.within)}` : '';
  const text = `${parts.join(kind.case === 'allOf' ? ' and ' : ' or ')}${within}`;
  return isPart && (parts.length > 1 || within !== '') ? `(${text})` : text;
}

function causeText({ on }: TriggerCause): string {
  if (on.case === undefined) return 'an unknown cause';
  if (on.case !== 'job') return `${on.case} ${on.value.name}`;
  const { definition, states } = on.value;
  return `job ${definition}${states.length > 0 ? ` (${states.map((state) => stateName(state)).join(', ')})` : ''}`;
}

/** The causes of a condition; the index of each is its number in the contract. */
function causesOf(condition: TriggerCondition | undefined): TriggerCause[] {
  const kind = condition?.kind;
  if (kind?.case === undefined) return [];
  return kind.case === 'cause' ? [kind.value] : kind.value.conditions.flatMap(causesOf);
}

function detailText(cause: TriggerCause): string {
  const { filter, key } = cause;
  return `${causeText(cause)}${filter === '' ? '' : `, if ${filter}`}${key === '' ? '' : `, by ${key}`}`;
}

export function triggerColumns(out: Output): Column<Trigger>[] {
  return [
    { title: 'TRIGGER', value: ({ name }) => name },
    {
      title: 'STATE',
      value: ({ paused }) => (paused ? 'paused' : 'on'),
      style: (text, { paused }) => (paused ? out.styled('magenta', text) : text),
    },
    { title: 'JOBS', value: ({ jobCount }) => String(jobCount) },
    { title: 'DEFINITION', value: ({ job }) => job?.definition ?? '' },
    { title: 'CONDITION', value: ({ condition }) => conditionText(condition), min: 9 },
    { title: 'REMARK', value: ({ pauseReason, description }) => pauseReason || description, min: 6 },
  ];
}

export function showTrigger(out: Output, trigger: Trigger): void {
  const { condition, job, paused } = trigger;
  out.line(`${out.styled('bold', `Trigger ${trigger.name}`)}  ${paused ? out.styled('magenta', 'paused') : 'on'}`);
  out.facts(
    [
      ['namespace', trigger.namespace],
      ['for', trigger.description],
      ['paused for', trigger.pauseReason],
      ['condition', conditionText(condition)],
      ...causesOf(condition).map((cause, at) => [`cause ${at}`, detailText(cause)] as const),
      ['drops causes', `after ${durationText(trigger.expireAfter)}`],
      ['definition', definitionText(job)],
      ['queue', job?.queue ?? ''],
      ['overlap', spelled(OverlapPolicy, trigger.overlapPolicy)],
      ['on failure', trigger.pauseOnFailure ? 'it pauses' : ''],
      ['jobs', String(trigger.jobCount)],
      ['made', timeText(trigger.createTime)],
      ['changed', timeText(trigger.updateTime)],
      ['etag', trigger.etag],
    ],
    '  ',
  );
}

export function triggerRunColumns(out: Output): Column<TriggerRun>[] {
  return [
    { title: 'TIME', value: ({ time }) => (time ? timestampDate(time).toISOString() : '') },
    { title: 'KEY', value: ({ key }) => key, min: 6 },
    runStateColumn(out),
    { title: 'JOB', value: ({ jobId }) => jobId },
    { title: 'WHY', value: whyNoJobText, min: 6 },
  ];
}

export function showMissing(out: Output, trigger: Trigger, { progress, missing }: ExplainTriggerResponse): void {
  const { name, paused, pauseReason } = trigger;
  if (paused) {
    const why = pauseReason === '' ? '' : ` (${printable(pauseReason)})`;
    out.line(`It is ${out.styled('magenta', 'paused')}${why}: what happens now does not count.`);
    out.line(`To resume it: muster triggers resume ${name}`);
  }
  for (const one of progress) showProgress(out, one);
  if (progress.length > 0) return;
  out.line('Nothing has happened that still counts. It waits for:');
  for (const phrase of missing) out.line(`  ${printable(phrase)}`);
}

function showProgress(out: Output, { key, held, missing, sinceTime, expireTime }: TriggerProgress): void {
  const subject = key === '' ? 'It waits' : `Key ${printable(key)} waits`;
  out.line(`${out.styled('bold', subject)} since ${timeText(sinceTime)}`);
  out.facts(
    [
      ...held.map((cause) => ['happened', heldText(cause)] as const),
      ...missing.map((phrase) => ['missing', phrase] as const),
      ['next drop', timeText(expireTime)],
    ],
    '  ',
  );
}

function heldText({ text, time, count }: HeldCause): string {
  return `${text}: ${count === 1n ? '' : `${countText(Number(count), 'time')}, last `}${timeText(time)}`;
}
