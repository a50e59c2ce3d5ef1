/** What to do about a refusal, by its stable reason. */

const HINTS: Readonly<Record<string, string>> = {
  DEFINITION_NOT_FOUND: 'muster definitions list shows those there are; muster apply -f FILE makes one',
  JOB_NOT_FOUND:
    'muster list shows the jobs of a namespace; --namespace names another one. Ended jobs go after a while',
  IDEMPOTENCY_CONFLICT:
    'another key makes another job; --on-conflict replace cancels the job that has the key and makes a new one',
  DUPLICATE_JOB:
    'muster get JOB shows the job that is there; muster definitions get NAME says what makes two jobs alike',
  THROTTLED: 'wait as long as it says; muster definitions get NAME shows the period',
  REQUEST_ID_REUSED: 'run the command again: it takes a new request id',
  JOB_ENDED: 'muster get JOB shows how it ended; muster retry JOB makes a new job like it',
  LIMIT_REACHED: 'muster list --definition NAME shows the open jobs of the key: wait for one to end, or cancel it',
  OVERLOADED: 'wait a moment and try again; muster doctor says what is short',
  STORE_UNAVAILABLE: 'the server is there, but its database does not answer: see its log. Then try again',
  DEADLINE_EXCEEDED: 'try again; if it stays so, see the log of the server',
  CONFLICT: 'try again',
  STORE_FULL: "make room on the database's disk",
  INTERNAL: "this is a fault of Muster's: the log of the server says more under the same id",
  SHUTTING_DOWN: 'the server stops: try again once it is back, or another one',
  QUEUE_NOT_FOUND: 'muster queues list shows those there are; the first job that waits in a queue makes it',
  QUEUE_EXISTS: 'muster queues get NAME shows it; muster queues update NAME changes it',
  QUEUE_FULL: 'muster queues get NAME shows what waits and the bounds; muster queues update NAME changes them',
  QUEUE_NOT_EMPTY: 'muster list --queue NAME shows its jobs; cancel them first, or wait',
  SCHEDULE_NOT_FOUND: 'muster schedules list shows those there are; muster schedules set makes one',
  ETAG_STALE: 'somebody else was faster: look at it again, then repeat the change',
  SESSION_NOT_FOUND: 'muster workers list shows those that are there',
  SESSION_CLOSED: 'muster workers list shows those that are there',
  DEFINITION_ARCHIVED: 'apply the definition again, also unchanged, to bring it back',
  JOB_NOT_ENDED: 'muster watch JOB waits for its end; muster cancel JOB ends it',
  JOB_NOT_ASSIGNED: 'submit it once the earlier job is assigned, or with --sticky JOB instead of --sticky-hard JOB',
  JOB_NOT_WAITING: 'a worker has it: muster cancel JOB stops it, muster watch JOB follows it',
  JOB_ERASED: 'its input is gone for good: submit a new job',
  INPUT_SCHEMA_VIOLATED: 'muster definitions get NAME shows the schema that inputs have to fit',
  CIRCUIT_BREAKER_NOT_FOUND: 'a breaker is there once a failure has been counted at it',
  EVENTS_UNAVAILABLE: 'muster doctor says whether the bus is up and keeps events',
  EVENT_POSITION_GONE: '--from 0 begins with the oldest event that is kept',
  NOT_IMPLEMENTED: 'a newer release of the server may do it',
};

/** Empty when there is none. */
export function hintFor(reason: string): string {
  return HINTS[reason] ?? '';
}

/** Which option or argument a field of a request comes from. */
const OPTIONS: Readonly<Record<string, string>> = {
  namespace: '--namespace',
  job_id: 'JOB',
  reason: '--reason',
  'queue.max_backlog': '--max-backlog',
  'queue.max_backlog_age': '--max-backlog-age',
  priority: '--priority',
  run_time: '--run-at or --run-in',
  expire_time: '--expire-at or --expire-in',
  'job.definition': 'DEFINITION',
  'job.definition_version': 'DEFINITION@VERSION',
  'job.queue': '--queue',
  'job.labels': '--label',
  'job.delay': '--delay',
  'job.run_time': '--run-at',
  'job.expire_time': '--expire-at or --expire-in',
  'job.run_timeout': '--run-timeout',
  'job.fairness_key': '--fairness-key',
  'job.idempotency_key': '--idempotency-key',
  'job.demands.labels': '--require',
  'job.demands.required': '--require-that',
  'job.demands.preferred': '--prefer',
  'job.demands.resources': '--demand',
  'job.sticky.job_id': '--sticky or --sticky-hard',
  'job.input': '--input or --input-file',
  'job.input.content_type': '--content-type',
  'queue.name': 'QUEUE',
  'queue.description': '--description',
  'queue.max_concurrency': '--max-concurrency',
  'queue.rate_limit.units': '--rate',
  'queue.rate_limit.period': '--rate',
  'queue.rate_limit.burst': '--rate',
  'queue.fairness_weights': '--weight',
  'queue.fairness_weights key': '--weight',
  'filter.definition': '--definition',
  'filter.queue': '--queue',
  'filter.labels': '--label',
  'filter.states': '--state',
  'filter.failure_types': '--failure-type',
  'filter.min_create_time': '--since',
  'filter.max_create_time': '--until',
  'schedule.times': '--cron or --every',
  'schedule.times.crons': '--cron',
  'schedule.times.intervals': '--every',
  'schedule.times.time_zone': '--zone',
  'schedule.times.end_time': '--end-at',
  'times.crons': '--cron',
  'times.intervals': '--every',
  'times.time_zone': '--zone',
  times: '--cron or --every',
  after_position: '--from',
  states: '--type',
  definition: '--definition',
  queue: '--queue',
  labels: '--label',
  failure_types: '--failure-type',
};

/** Empty when there is none. */
export function optionFor(field: string): string {
  return OPTIONS[field.replace(/[[(].*$/, '')] ?? OPTIONS[field] ?? '';
}
