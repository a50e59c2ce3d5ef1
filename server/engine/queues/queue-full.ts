/** The error for jobs that a full queue refuses. */
import { percentFor, retryAfterMs } from '../../domain/queues/backlog.ts';
import { EngineError } from '../base/errors.ts';
import type { Refused } from './backlogs.ts';

/** @param field Path of the job in the request. */
export function queueFull(refused: Refused, field: string): EngineError {
  const { queue, overrun, priority } = refused;
  const retryAfter = retryAfterMs(overrun.excess, queue.jobsPerSecond);
  const { problem, metadata } = overrun.bound === 'max_backlog' ? tooMany(refused) : tooOld(refused);
  const fewer = overrun.ahead > 0 ? 'send fewer at once, or ' : '';
  return new EngineError('QUEUE_FULL', `${problem}: ${fewer}try again in ${Math.ceil(retryAfter / 1_000)} s`, {
    field,
    metadata: {
      namespace: queue.name.namespace,
      queue: queue.name.name,
      bound: overrun.bound,
      priority: String(priority),
      ...metadata,
    },
    retryAfterMs: retryAfter,
  });
}

function tooMany({ queue, overrun, priority, backlog: { waiting } }: Refused) {
  const { maxBacklog } = queue.bounds;
  const most = Math.ceil((maxBacklog * percentFor(priority)) / 100);
  const ahead = overrun.ahead > 0 ? ` and ${overrun.ahead} of this call` : '';
  const ready = `${waiting} ready job${waiting === 1 ? '' : 's'}${ahead}`;
  return {
    problem: `queue ${queue.name.name} has ${ready}; with priority ${priority} ${most} are the most`,
    metadata: { waiting: String(waiting), max_backlog: String(maxBacklog) },
  };
}

function tooOld({ queue, priority, backlog: { ageMs } }: Refused) {
  const bound = queue.bounds.maxBacklogAgeMs ?? 0;
  const [age, most] = [seconds(ageMs), seconds((bound * percentFor(priority)) / 100)];
  const oldest = `the oldest ready job of queue ${queue.name.name} has waited for ${age}`;
  return {
    problem: `${oldest}; with priority ${priority} ${most} is the most`,
    metadata: { age, max_backlog_age: seconds(bound) },
  };
}

/** As a Duration in JSON, rounded to a tenth. */
function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10}s`;
}
