/** Wrong requests about schedules. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  CatchUpPolicy,
  OverlapPolicy,
  ScheduleSchema,
  ScheduleTimesSchema,
} from '@muster-jobs/sdk/gen/muster/v1/schedule_pb';
import { ScheduleService } from '@muster-jobs/sdk/gen/muster/v1/schedule_service_pb';
import { Code } from '../../../../../server/api/base/code.ts';
import { add, manyLabels, type Seed } from '../base/builder.ts';

const { applySchedule, getSchedule, listSchedules, deleteSchedule, pauseSchedule, resumeSchedule } =
  ScheduleService.method;
const { triggerSchedule, backfillSchedule, previewSchedule, listScheduleRuns } = ScheduleService.method;
const notFound = [Code.NOT_FOUND, 'SCHEDULE_NOT_FOUND'] as const;

type Schedule = MessageInitShape<typeof ScheduleSchema>;
type Times = MessageInitShape<typeof ScheduleTimesSchema>;

const crons = ['0 9 * * *'];
const good = ({ definition }: Seed) => ({ name: 'new', times: { crons }, job: { definition } });

const apply = (row: string, what: string, change: Schedule | ((seed: Seed) => Schedule), ...fields: string[]) =>
  add(
    row,
    `ApplySchedule: ${what}`,
    applySchedule,
    (seed) => ({ schedule: { ...good(seed), ...(typeof change === 'function' ? change(seed) : change) } as Schedule }),
    fields,
  );

/** The same rules, in a schedule and in a preview. */
function times(row: string, what: string, rules: Times, ...fields: string[]): void {
  apply(row, what, { times: rules }, ...fields.map((field) => `schedule.times${field}`));
  const own = fields.map((field) => `times${field}`);
  add(row, `PreviewSchedule: ${what}`, previewSchedule, () => ({ times: rules }), own);
}

// --- B52 to B59: times
for (const cron of ['', '  ', '* * * *', '*', '@daily']) times('B52', `cron "${cron}"`, { crons: [cron] }, '.crons[0]');
for (const cron of ['0 0 9 * * *', '0 0 9 * * * *']) times('B53', `cron "${cron}"`, { crons: [cron] }, '.crons[0]');
for (const cron of ['60 * * * *', '0 24 * * *', '0 0 0 * *', '0 0 * 13 *', '0 0 * * 8', '5/15 * * * *', '0 0 L * *'])
  times('B53', `cron "${cron}"`, { crons: ['0 9 * * *', cron] }, '.crons[1]');
for (const cron of ['0 0 30 2 *', '0 0 31 2,4,6,9,11 *'])
  apply('B54', `cron "${cron}"`, { times: { crons: [cron] } }, 'schedule.times');
apply('B54', 'a calendar of the past', { times: { calendars: [{ year: '1999' }] } }, 'schedule.times');
apply('B54', 'everything excluded', { times: { crons, exclusions: [{}] } }, 'schedule.times');
times('B57', 'cron of 100,000 characters', { crons: [`${'0,'.repeat(50_000)}0 * * * *`] }, '.crons[0]');
for (const timeZone of ['Mars/Olympus', 'UTC\0', '../../etc/passwd', 'EST5EDT4,,', '+01:00', 'Z'.repeat(5_000)])
  times('B58', `zone ${timeZone.slice(0, 20)}`, { crons, timeZone }, '.time_zone');
const every = (seconds: bigint, nanos = 0) => ({ seconds, nanos });
times('B59', 'an interval of 0', { intervals: [{ every: every(0n) }] }, '.intervals[0].every');
times('B59', 'an interval of 1 ns', { intervals: [{ every: every(0n, 1) }] }, '.intervals[0].every');
times('B59', 'a negative interval', { intervals: [{ every: every(-60n) }] }, '.intervals[0].every');
times('B59', 'an interval without its length', { intervals: [{}] }, '.intervals[0].every');
times(
  'B59',
  'an offset as long as the interval',
  { intervals: [{ every: every(60n), offset: every(60n) }] },
  '.intervals[0].offset',
);
times('B59', 'an end before the start', { crons, startTime: every(2n), endTime: every(1n) }, '.end_time');
times('B59', 'an end at the start', { crons, startTime: every(1n), endTime: every(1n) }, '.end_time');
times('B59', 'a jitter of 2 days', { crons, jitter: every(172_800n) }, '.jitter');
times('B52', 'no times', {}, '');
times('B52', 'exclusions alone', { exclusions: [{ month: 'dec' }] }, '');
times('B53', 'a calendar with an hour of 24', { calendars: [{ hour: '24' }] }, '.calendars[0].hour');
times('B53', 'an exclusion with a day x', { crons, exclusions: [{ dayOfMonth: 'x' }] }, '.exclusions[0].day_of_month');
times('B72', '33 expressions', { crons: Array.from({ length: 33 }, () => '0 9 * * *') }, '.crons');

// --- the other fields of a schedule
for (const name of ['', 'a'.repeat(64), 'Nightly', '-a', 'a.b', 'a b', '../a', 'con', 'sys-a', 'internal-a']) {
  const what = `name "${name.slice(0, 20)}"`;
  apply('B24', what, { name }, 'schedule.name');
  for (const method of [getSchedule, deleteSchedule, pauseSchedule, resumeSchedule, triggerSchedule, listScheduleRuns])
    add('B24', `${method.name}: ${what}`, method as typeof getSchedule, () => ({ name }), ['name']);
}
for (const method of [getSchedule, deleteSchedule, pauseSchedule, resumeSchedule, triggerSchedule, listScheduleRuns]) {
  const as = method as typeof getSchedule;
  add('B24', `${method.name}: namespace No`, as, () => ({ namespace: 'No', name: 'x' }), ['namespace']);
  add('', `${method.name}: one that is not there`, as, () => ({ name: 'missing' }), [], notFound);
}
for (const method of [deleteSchedule, pauseSchedule, resumeSchedule, triggerSchedule])
  add('B37', `${method.name}: request id x`, method as typeof deleteSchedule, () => ({ name: 'x', requestId: 'x' }), [
    'request_id',
  ]);
add('', 'ApplySchedule: no schedule', applySchedule, () => ({}), ['schedule', 'schedule.times', 'schedule.job']);
add('B37', 'ApplySchedule: request id x', applySchedule, (seed) => ({ schedule: good(seed), requestId: 'x' }), [
  'request_id',
]);
apply('B24', 'namespace No', { namespace: 'No' }, 'schedule.namespace');
apply('B28', 'a description of 1,025 characters', { description: 'd'.repeat(1_025) }, 'schedule.description');
apply('B11', 'a NUL in the description', { description: 'a\0b' }, 'schedule.description');
apply('', 'an etag of 65 characters', { etag: 'e'.repeat(65) }, 'schedule.etag');
apply('B12', 'overlap policy 99', { overlapPolicy: 99 as OverlapPolicy }, 'schedule.overlap_policy');
apply('B12', 'catch-up policy 99', { catchUpPolicy: 99 as CatchUpPolicy }, 'schedule.catch_up_policy');
apply('B18', 'a catch-up window of 9 s', { catchUpWindow: every(9n) }, 'schedule.catch_up_window');
apply('B21', 'a negative number of runs', { maxRuns: -1n }, 'schedule.max_runs');
const job = (row: string, what: string, change: object, ...fields: string[]) =>
  apply(
    row,
    what,
    ({ definition }) => ({ job: { definition, ...change } }),
    ...fields.map((one) => `schedule.job.${one}`),
  );
job('', 'a job with a key', { idempotencyKey: 'k' }, 'idempotency_key');
job('', 'a job with a delay', { start: { case: 'delay', value: every(1n) } }, 'delay');
job('', 'a job with a run time', { start: { case: 'runTime', value: every(1n) } }, 'run_time');
job('', 'a job with an expiry', { expireTime: every(1n) }, 'expire_time');
job('', 'a job with a trace', { traceparent: `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01` }, 'traceparent');
job('B21', 'a job of priority 101', { priority: 101 }, 'priority');
job('B33', 'a job with 65 labels', { labels: manyLabels }, 'labels');
job('B33', 'a job with 63 labels', { labels: Object.fromEntries(Object.entries(manyLabels).slice(0, 63)) }, 'labels');
job('B33', 'a job with a reserved label', { labels: { 'muster/schedule': 'x' } }, 'labels');
add(
  '',
  'ApplySchedule: a definition that is not there',
  applySchedule,
  (seed) => ({ schedule: { ...good(seed), job: { definition: 'missing' } } }),
  [],
  [Code.NOT_FOUND, 'DEFINITION_NOT_FOUND'],
);
add(
  'B28',
  'ApplySchedule: a fairness key of 257 characters',
  applySchedule,
  (seed) => ({ schedule: { ...good(seed), job: { definition: seed.definition, fairnessKey: 'x'.repeat(257) } } }),
  ['schedule.job.fairness_key'],
);
add(
  '',
  'ApplySchedule: an etag of one that is not there',
  applySchedule,
  (seed) => ({ schedule: { ...good(seed), etag: '1-x' } }),
  [],
  notFound,
);

// --- runs
add('B12', 'TriggerSchedule: policy 99', triggerSchedule, () => ({ name: 'x', overlapPolicy: 99 as OverlapPolicy }), [
  'overlap_policy',
]);
const span = { startTime: every(0n), endTime: every(1n) };
add(
  '',
  'BackfillSchedule: one that is not there',
  backfillSchedule,
  () => ({ name: 'missing', ...span }),
  [],
  notFound,
);
add('B24', 'BackfillSchedule: name X', backfillSchedule, () => ({ name: 'X', ...span }), ['name']);
add('B37', 'BackfillSchedule: request id x', backfillSchedule, () => ({ name: 'x', requestId: 'x', ...span }), [
  'request_id',
]);
add(
  'B12',
  'BackfillSchedule: policy 99',
  backfillSchedule,
  () => ({ name: 'x', overlapPolicy: 99 as OverlapPolicy, ...span }),
  ['overlap_policy'],
);
add('', 'BackfillSchedule: no span', backfillSchedule, () => ({ name: 'x' }), ['start_time', 'end_time']);
add(
  'B59',
  'BackfillSchedule: an empty span',
  backfillSchedule,
  () => ({ name: 'x', startTime: every(1n), endTime: every(1n) }),
  ['end_time'],
);
add('B28', 'PauseSchedule: a reason of 257 characters', pauseSchedule, () => ({ name: 'x', reason: 'r'.repeat(257) }), [
  'reason',
]);
add('B11', 'PauseSchedule: a NUL in the reason', pauseSchedule, () => ({ name: 'x', reason: 'a\0b' }), ['reason']);
add('B42', 'PreviewSchedule: count -1', previewSchedule, () => ({ times: { crons }, count: -1 }), ['count']);
add('', 'PreviewSchedule: one that is not there', previewSchedule, () => ({ name: 'missing' }), [], notFound);
add('', 'PreviewSchedule: a name and times', previewSchedule, () => ({ name: 'x', times: { crons } }), ['times']);
add('', 'PreviewSchedule: nothing', previewSchedule, () => ({}), ['times']);
add('B42', 'ListSchedules: page size -1', listSchedules, () => ({ pageSize: -1 }), ['page_size']);
add('B42', 'ListScheduleRuns: page size -1', listScheduleRuns, () => ({ name: 'x', pageSize: -1 }), ['page_size']);
add('B43', 'ListSchedules: an unknown token', listSchedules, () => ({ pageToken: 'x' }), ['page_token']);
add('B43', 'ListScheduleRuns: an unknown token', listScheduleRuns, () => ({ name: 'x', pageToken: 'x' }), [
  'page_token',
]);
add('B24', 'ListSchedules: namespace No', listSchedules, () => ({ namespace: 'No' }), ['namespace']);
