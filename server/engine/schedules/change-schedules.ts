/** Changes of schedules, each under the lock of its row. */
import type { PendingRun, ScheduleRules } from '../../domain/schedules/schedule.ts';
import { causesOf } from '../../domain/triggers/condition.ts';
import type {
  DecideSchedule,
  LockedSchedule,
  Schedule,
  ScheduleChange,
  ScheduleName,
  ScheduleSpec,
} from '../ports/schedules.ts';
import type { Store } from '../ports/store.ts';
import { scanOne } from './scan-schedules.ts';

/** Max pending runs per schedule. */
const MAX_PENDING = 1_000;

/** The content as text, without the bytes of the input. */
function textOf({ rules, trigger, job, description, maxRuns }: ScheduleSpec): string {
  const { input, ...rest } = job;
  return JSON.stringify([rules, trigger, rest, input.contentType, input.metadata, description, maxRuns]);
}

function isSame(before: ScheduleSpec, after: ScheduleSpec): boolean {
  return textOf(before) === textOf(after) && Buffer.compare(before.job.input.data, after.job.input.data) === 0;
}

const timesOf = ({ times, jitterMs }: ScheduleRules) => JSON.stringify([times, jitterMs]);

const done = (schedule: Schedule, created = false): ScheduleChange => ({ kind: 'done', schedule, created });

/** Decides the due times of a locked schedule. Returns the time until which they are decided. */
async function scanFirst(
  tx: Store,
  locked: LockedSchedule,
  decide: DecideSchedule,
  ownUs: number,
): Promise<number | 'behind'> {
  // Read after the lock: the wait for it may have been long.
  const nowUs = await tx.schedules.readNowUs(ownUs);
  const { isBehind } = await scanOne(tx, { ...locked, nowUs }, decide);
  return isBehind ? 'behind' : nowUs;
}

export function applySchedule(
  store: Store,
  spec: ScheduleSpec,
  etag: string,
  scheduleId: string,
  decide: DecideSchedule,
  ownUs: number,
): Promise<ScheduleChange> {
  return store.together(async (tx) => {
    const made = etag === '' ? await tx.schedules.insert(spec, scheduleId, ownUs) : undefined;
    if (made) {
      await replaceCondition(tx, made);
      return done(made, true);
    }
    const locked = await tx.schedules.lock(spec);
    if (!locked) return { kind: 'missing' };
    const before = locked.schedule;
    if (etag !== '' && etag !== before.etag) return { kind: 'stale', etag: before.etag };
    if (isSame(before, spec)) return done(before);
    const isOther = timesOf(before.rules) !== timesOf(spec.rules);
    const untilUs = isOther ? await scanFirst(tx, locked, decide, ownUs) : undefined;
    if (untilUs === 'behind') return { kind: untilUs };
    const updated = await tx.schedules.update(before.scheduleId, spec, untilUs);
    if (conditionOf(before) !== conditionOf(spec)) await replaceCondition(tx, updated);
    return done(updated);
  });
}

const conditionOf = ({ trigger }: ScheduleSpec) => JSON.stringify(trigger?.condition);

/** What has happened for an older condition is forgotten. */
async function replaceCondition(tx: Store, { scheduleId, namespace, trigger }: Schedule): Promise<void> {
  if (!trigger) return;
  await tx.triggers.dropAllCauses(scheduleId);
  await tx.triggers.dropSources(scheduleId);
  await tx.triggers.insertSources(scheduleId, namespace, causesOf(trigger.condition));
}

const changed = (schedule: Schedule | undefined) => schedule && done(schedule);

/** Changes an existing schedule. If `work` returns undefined, the schedule is as it was. */
function change(
  store: Store,
  name: ScheduleName,
  work: (tx: Store, locked: LockedSchedule) => Promise<ScheduleChange | undefined>,
): Promise<ScheduleChange> {
  return store.together(async (tx) => {
    const locked = await tx.schedules.lock(name);
    if (!locked) return { kind: 'missing' };
    return (await work(tx, locked)) ?? done(locked.schedule);
  });
}

export function pauseSchedule(store: Store, name: ScheduleName, reason: string): Promise<ScheduleChange> {
  return change(store, name, async (tx, { schedule }) =>
    changed(await tx.schedules.markPaused(schedule.scheduleId, reason)),
  );
}

export function resumeSchedule(
  store: Store,
  name: ScheduleName,
  decide: DecideSchedule,
  ownUs: number,
): Promise<ScheduleChange> {
  return change(store, name, async (tx, locked) => {
    const { paused, scheduleId } = locked.schedule;
    if (paused && (await scanFirst(tx, locked, decide, ownUs)) === 'behind') return { kind: 'behind' };
    return changed(await tx.schedules.markResumed(scheduleId));
  });
}

export function askForRuns(store: Store, name: ScheduleName, runs: readonly PendingRun[]): Promise<ScheduleChange> {
  return change(store, name, async (tx, { schedule: { scheduleId } }) => {
    const pending = await tx.schedules.countPending(scheduleId);
    if (pending + runs.length > MAX_PENDING) return { kind: 'full', pending };
    await tx.schedules.insertAsked(scheduleId, runs);
    await tx.schedules.wake(scheduleId);
    return undefined;
  });
}

export function deleteSchedule(store: Store, name: ScheduleName): Promise<boolean> {
  return store.together(async (tx) => {
    const scheduleId = await tx.schedules.drop(name);
    if (scheduleId === undefined) return false;
    await tx.schedules.dropRuns(scheduleId);
    if (name.kind === 'TRIGGER') {
      await tx.triggers.dropSources(scheduleId);
      await tx.triggers.dropAllCauses(scheduleId);
    }
    return true;
  });
}
