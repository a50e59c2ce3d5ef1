/** Summarizes a run: all jobs, each queue, definition and key, and each worker. */
import type { RecordedJob } from '../recorder.ts';
import type { SimulatedRun } from '../run-simulation.ts';
import type { Scenario } from '../scenario.ts';
import { limitsOf } from './limits-of.ts';
import type { GroupReport, SimulationReport, WorkerReport } from './report-types.ts';
import { spreadOf } from './spread.ts';
import { waitsOf } from './stretches.ts';
import { Tally } from './tally.ts';
import { keyNameOf, timelineOf } from './timeline.ts';

/** Maximum keys in the report: there may be very many. */
const MAX_KEYS = 20;

export function reportOf(scenario: Scenario, { jobs, spanMs }: SimulatedRun): SimulationReport {
  const slots = scenario.workers.map((worker) => worker.slots);
  const timeline = timelineOf({ jobs, limits: limitsOf(scenario), slots, spanMs });
  const groups = (nameOf: (job: RecordedJob) => string | undefined, tallies: ReadonlyMap<string, Tally>) =>
    [...grouped(jobs, nameOf)].map(([name, ofGroup]) =>
      groupReport(name, ofGroup, tallies.get(name) ?? new Tally(), spanMs),
    );
  const byName = (a: GroupReport, b: GroupReport) => (a.name < b.name ? -1 : 1);
  const keys = groups(keyNameOf, timeline.keys).sort((a, b) => waitedMs(b) - waitedMs(a) || byName(a, b));
  return {
    spanMs,
    all: groupReport('all', jobs, timeline.all, spanMs),
    queues: groups((job) => job.queue, timeline.queues).sort(byName),
    definitions: groups((job) => job.arrival.definition, timeline.definitions).sort(byName),
    keys: keys.slice(0, MAX_KEYS),
    keyCount: keys.length,
    workers: workersOf(scenario, jobs, spanMs),
    slots: slots.reduce((sum, one) => sum + one, 0),
    series: timeline.series,
  };
}

function grouped(
  jobs: readonly RecordedJob[],
  nameOf: (job: RecordedJob) => string | undefined,
): Map<string, RecordedJob[]> {
  const groups = new Map<string, RecordedJob[]>();
  for (const job of jobs) {
    const name = nameOf(job);
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group) group.push(job);
    else groups.set(name, [job]);
  }
  return groups;
}

function waitedMs({ heldBackMs }: GroupReport): number {
  return Object.values(heldBackMs).reduce((sum, ms) => sum + ms, 0);
}

function groupReport(name: string, jobs: readonly RecordedJob[], tally: Tally, spanMs: number): GroupReport {
  const accepted = jobs.filter(({ refused, existing }) => refused === '' && !existing);
  const started = accepted.filter(({ attempts }) => attempts.length > 0);
  const count = (state: string) => accepted.filter((job) => job.endMs !== undefined && job.state === state).length;
  const wait = spreadOf(
    started.map((job) => waitsOf(job, spanMs).reduce((sum, one) => sum + one.toMs - one.fromMs, 0)),
  );
  const run = spreadOf(started.map((job) => ranMs(job, spanMs)));
  const refused: Record<string, number> = {};
  for (const job of jobs) if (job.refused !== '') refused[job.refused] = (refused[job.refused] ?? 0) + 1;
  return {
    name,
    arrived: jobs.length,
    refused,
    existing: jobs.filter(({ existing }) => existing).length,
    succeeded: count('SUCCEEDED'),
    failed: count('FAILED'),
    cancelled: count('CANCELLED'),
    expired: count('EXPIRED'),
    open: accepted.filter(({ endMs }) => endMs === undefined).length,
    attempts: accepted.reduce((sum, { attempts }) => sum + attempts.length, 0),
    ...(wait ? { wait } : {}),
    ...(run ? { run } : {}),
    longestQueue: tally.longest,
    mostAtOnce: tally.mostHeld,
    heldBackMs: tally.heldBackMs,
  };
}

function ranMs({ attempts }: RecordedJob, spanMs: number): number {
  return attempts.reduce((sum, { startMs, endMs = spanMs }) => sum + endMs - startMs, 0);
}

function workersOf({ workers }: Scenario, jobs: readonly RecordedJob[], spanMs: number): WorkerReport[] {
  const busyMs = workers.map(() => 0);
  const attempts = workers.map(() => 0);
  for (const job of jobs) {
    for (const { startMs, endMs = spanMs, worker } of job.attempts) {
      busyMs[worker] = (busyMs[worker] ?? 0) + endMs - startMs;
      attempts[worker] = (attempts[worker] ?? 0) + 1;
    }
  }
  return workers.map(({ name, slots }, at) => ({
    name,
    slots,
    attempts: attempts[at] ?? 0,
    utilisation: spanMs === 0 ? 0 : (busyMs[at] ?? 0) / (slots * spanMs),
  }));
}
