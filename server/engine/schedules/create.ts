/** Makes the parts of schedules. */
import type { EnginePorts } from '../base/engine-ports.ts';
import type { Cancels } from '../jobs/change/cancels.ts';
import type { Submissions } from '../jobs/submit/submissions.ts';
import { ScheduleRounds } from './schedule-rounds.ts';
import { Schedules } from './schedules.ts';

type Ports = Pick<EnginePorts, 'store' | 'dbClock' | 'timers' | 'random' | 'log'>;

interface Needs {
  readonly submissions: Submissions;
  readonly cancels: Cancels;
}

/** What the API sees of them. */
export interface SchedulesApi {
  readonly schedules: Schedules;
}

export function createSchedules({ store, dbClock, timers, random, log }: Ports, { submissions, cancels }: Needs) {
  const parts = { store, submissions, clock: dbClock, timers, random };
  const cancel = (namespace: string, jobId: string, reason: string) => cancels.cancelIfOpen(namespace, jobId, reason);
  const scheduleRounds = new ScheduleRounds({ ...parts, log, cancel });
  return { scheduleRounds, schedules: new Schedules({ ...parts, scanNow: () => scheduleRounds.scanNow() }) };
}
