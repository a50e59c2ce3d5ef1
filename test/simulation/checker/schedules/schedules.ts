/** Schedules: each time has one job, or is recorded as skipped; no job is of a time that has another one. */
import {
  ScheduleRunCause,
  ScheduleRunState,
  ScheduleSkipReason,
} from '../../../../sdk/typescript/src/gen/muster/v1/schedule_pb.ts';
import { EPOCH_MS } from '../../../../server/tools/simulate/sim-postgres.ts';
import type { Entry } from '../../core/history.ts';
import type { Evidence } from '../base/events.ts';

const SECOND_MS = 1_000;

export function checkSchedules(evidence: Evidence): void {
  const bySchedule = new Map<string, Entry[]>();
  for (const entry of evidence.seen.get('schedule run read') ?? []) {
    const name = String(entry.facts.schedule);
    bySchedule.set(name, [...(bySchedule.get(name) ?? []), entry]);
  }
  for (const { facts: span } of evidence.seen.get('schedule paused') ?? []) {
    const name = String(span.schedule);
    checkTimes(evidence, name, bySchedule.get(name) ?? [], span);
  }
  for (const [name, runs] of bySchedule) {
    checkJobs(evidence, name, runs);
  }
}

/** Every second from the creation of the schedule to its pause exists once. */
function checkTimes(evidence: Evidence, name: string, runs: readonly Entry[], span: Entry['facts']): void {
  const { history } = evidence;
  const violate = (what: string) => history.violate('each time of a schedule once', `${name} ${what}`);
  const own = runs.filter(({ facts }) => facts.cause === ScheduleRunCause.TIME);
  const ordered = own.toSorted((a, b) => Number(a.facts.ms) - Number(b.facts.ms));
  let next = (Math.floor(Number(span.createdMs) / SECOND_MS) + 1) * SECOND_MS;
  // Under a clock that is off it is created up to a second late; a change then lets it begin at once.
  const before = next - SECOND_MS;
  if (Number(ordered[0]?.facts.ms) === before && before > askedMs(evidence, name)) next = before;
  for (const { facts } of ordered) {
    if (Number(facts.ms) !== next) violate(`has ${facts.ms} where ${next} should be`);
    next = Number(facts.ms) + Number(facts.times) * SECOND_MS;
  }
  if (next <= Number(span.pausedMs)) violate(`was paused at ${span.pausedMs}, and has nothing from ${next} on`);
}

function askedMs({ seen }: Evidence, name: string): number {
  const asked = seen.get('schedule asked')?.find(({ facts }) => facts.schedule === name);
  return EPOCH_MS + (asked?.at ?? 0);
}

/** Each job of the schedule is that of one run, and each started run has its job. */
function checkJobs({ history, facts }: Evidence, name: string, runs: readonly Entry[]): void {
  const violate = (what: string) => history.violate('each time of a schedule once', `${name} ${what}`);
  const started = new Set<string>();
  for (const { facts: run } of runs) {
    history.count(`schedule run: ${nameOf(ScheduleRunState, run.state)}`);
    if (run.reason !== 0) history.count(`schedule time skipped: ${nameOf(ScheduleSkipReason, run.reason)}`);
    if (run.state === ScheduleRunState.STARTING) violate(`has not finished what it began at ${run.ms}`);
    if (run.state !== ScheduleRunState.STARTED) continue;
    if (started.has(String(run.job))) violate(`names job ${run.job} twice`);
    started.add(String(run.job));
  }
  for (const [job, { schedule, scheduleTime, retryOf }] of facts) {
    if (schedule !== name || retryOf !== undefined) continue;
    if (!started.delete(job)) violate(`made job ${job} for ${scheduleTime}, and has no record of it`);
  }
  for (const job of started) violate(`names job ${job}, which is not there`);
}

function nameOf(values: Readonly<Record<string, number>>, value: unknown): string {
  return Object.keys(values).find((name) => values[name] === value) ?? String(value);
}
