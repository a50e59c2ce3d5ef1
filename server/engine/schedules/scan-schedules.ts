/** Scans due schedules: locks them, decides each, and writes the decisions. */
import type { ScheduleDecision } from '../../domain/schedules/decide-schedule.ts';
import type { RunKey } from '../../domain/schedules/schedule.ts';
import type { DecideSchedule, DueSchedule, OfSchedule, ScannedSchedule, UnsettledRun } from '../ports/schedules.ts';
import type { Store } from '../ports/store.ts';
import type { NewHappening } from '../ports/triggers.ts';

/** A run that is to get a job is retried after this, in case its replica has died. */
const START_AGAIN_MS = 2_000;

/** The result of a schedule's scan. */
interface Scan {
  readonly scanned: ScannedSchedule;
  readonly ended: readonly UnsettledRun[];
  readonly decision: ScheduleDecision;
  readonly nextScanUs: number | undefined;
}

/** Runs of schedules that start are causes of triggers. */
async function causeTriggers(tx: Store, scans: readonly Scan[]): Promise<void> {
  const happenings = scans.flatMap(({ scanned: { schedule }, decision }): NewHappening[] => {
    if (schedule.kind !== 'SCHEDULE') return [];
    const starting = decision.runs.filter(({ state }) => state === 'STARTING');
    const { namespace, name } = schedule;
    return starting.map(({ nominalUs }) => ({ namespace, source: 'SCHEDULE', name, nominalUs }));
  });
  if (happenings.length > 0) await tx.triggers.cause(happenings);
}

function scanOf(due: DueSchedule, unsettled: readonly UnsettledRun[], decide: DecideSchedule): Scan {
  const { schedule, runsLeft, decidedUntilUs, nowUs } = due;
  const inState = (state: UnsettledRun['state']) => unsettled.filter((run) => run.state === state);
  const ended = inState('STARTED').filter((run) => !run.isOpen);
  const open = inState('STARTED').filter((run) => run.isOpen);
  const starting = inState('STARTING');
  const status = {
    rules: schedule.rules,
    seed: schedule.scheduleId,
    paused: schedule.paused,
    runsLeft,
    decidedUntilUs,
    buffered: inState('BUFFERED').map(pendingRunOf),
    asked: inState('ASKED').map(pendingRunOf),
    keepsAsked: schedule.kind === 'TRIGGER',
    open: open.length + starting.length,
    failedJobId: ended.find((run) => run.endState === 'FAILED' || run.endState === 'EXPIRED')?.jobId,
  };
  const decision = decide(schedule, status, nowUs);
  const toStart = [...starting.map(pendingRunOf), ...decision.runs.filter((run) => run.state === 'STARTING')];
  const cancelled = open.filter((run) => decision.cancelsOthers || makesWay(run, starting));
  const cancelJobIds = cancelled.map((run) => run.jobId as string);
  return {
    scanned: { schedule, starting: toStart, cancelJobIds },
    ended,
    decision,
    nextScanUs: toStart.length > 0 ? nowUs + START_AGAIN_MS * 1_000 : decision.nextScanUs,
  };
}

/** Without what the decision replaces. */
function pendingRunOf({ nominalUs, causeId, cause, overlap }: UnsettledRun) {
  return { nominalUs, causeId, cause, overlap };
}

/** The open run is asked to stop again, with the run that replaces it: the replica may have died before it asked. */
function makesWay(open: UnsettledRun, starting: readonly UnsettledRun[]): boolean {
  return starting.some((run) => run.overlap === 'TERMINATE_OTHER' && open.decideTimeUs < run.decideTimeUs);
}

/** Each run with the id of its schedule. */
function listed<T extends RunKey>(
  scans: readonly Scan[],
  runsOf: (scan: Scan) => readonly T[],
): readonly OfSchedule<T>[] {
  return scans.flatMap((scan) => {
    const { scheduleId } = scan.scanned.schedule;
    return runsOf(scan).map((run) => ({ ...run, scheduleId }));
  });
}

/** In a few statements, however many schedules there are: thousands may be due in the same second. */
async function writeScans(tx: Store, scans: readonly Scan[]): Promise<void> {
  await tx.schedules.settleEnded(scans.flatMap(({ ended }) => ended));
  const runs = listed(scans, ({ decision }) => decision.runs);
  if (runs.length > 0) {
    await tx.schedules.writeRuns(runs);
    await tx.schedules.dropOldRuns([...new Set(runs.map(({ scheduleId }) => scheduleId))]);
    await causeTriggers(tx, scans);
  }
  await tx.schedules.writeDecisions(
    scans.map(({ scanned, decision, nextScanUs }) => ({
      ...decision,
      scheduleId: scanned.schedule.scheduleId,
      nextScanUs,
    })),
  );
}

async function scanLocked(tx: Store, due: readonly DueSchedule[], decide: DecideSchedule): Promise<Scan[]> {
  const unsettled = await tx.schedules.readUnsettled(due.map(({ schedule }) => schedule.scheduleId));
  const runsOf = Map.groupBy(unsettled, (run) => run.scheduleId);
  const scans = due.map((one) => scanOf(one, runsOf.get(one.schedule.scheduleId) ?? [], decide));
  await writeScans(tx, scans);
  return scans;
}

/** One transaction for a few of the due schedules; skips those that another replica has locked. */
export function scanSchedules(store: Store, decide: DecideSchedule, ownUs: number): Promise<ScannedSchedule[]> {
  return store.together(async (tx) => {
    const due = await tx.schedules.lockDue(ownUs);
    return due.length === 0 ? [] : (await scanLocked(tx, due, decide)).map(({ scanned }) => scanned);
  });
}

/** Scans a locked schedule. Another scan has to start the runs that this one decides. */
export async function scanOne(tx: Store, due: DueSchedule, decide: DecideSchedule): Promise<ScheduleDecision> {
  const [scan] = await scanLocked(tx, [due], decide);
  return (scan as Scan).decision;
}
