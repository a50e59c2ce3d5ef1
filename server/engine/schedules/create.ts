/** Makes the parts of schedules and of triggers, which are stored as schedules. */
import type { EnginePorts } from '../base/engine-ports.ts';
import type { Cancels } from '../jobs/change/cancels.ts';
import type { Submissions } from '../jobs/submit/submissions.ts';
import { createTriggers, type TriggersApi } from '../triggers/create.ts';
import { ScheduleRounds } from './schedule-rounds.ts';
import { Schedules } from './schedules.ts';

type Ports = Pick<EnginePorts, 'store' | 'dbClock' | 'bus' | 'timers' | 'random' | 'log' | 'announcer'>;

interface Needs {
  readonly submissions: Submissions;
  readonly cancels: Cancels;
}

/** What the API sees of them. */
export interface SchedulesApi extends TriggersApi {
  readonly schedules: Schedules;
}

export function createSchedules(ports: Ports, { submissions, cancels }: Needs) {
  const { store, dbClock, timers, random, log, announcer } = ports;
  const parts = { store, submissions, clock: dbClock, timers, random };
  const cancel = (namespace: string, jobId: string, reason: string) => cancels.cancelIfOpen(namespace, jobId, reason);
  const onStarted = () => announcer.committed({ triggers: true });
  const scheduleRounds = new ScheduleRounds({ ...parts, log, cancel, onStarted });
  const scanNow = () => scheduleRounds.scanNow();
  announcer.subscribe({ scheduleRuns: () => void scanNow() });
  return { scheduleRounds, schedules: new Schedules({ ...parts, scanNow }), ...createTriggers(ports) };
}
