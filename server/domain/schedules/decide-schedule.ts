/**
 * What a schedule does now: which of its times have come, which of them get a job, which wait, and which are skipped
 * and why.
 */
import type { NominalTimes } from './nominal-times.ts';
import type { PendingRun, RunKey, ScheduleRules, ScheduleSkipReason } from './schedule.ts';

/** State of a schedule when it is evaluated. Times are µs on the database's clock. */
export interface ScheduleStatus {
  readonly rules: ScheduleRules;
  /** Makes the jitter differ between schedules. */
  readonly seed: string;
  readonly paused: boolean;
  /** Number of jobs that its times may still create; undefined: unlimited. */
  readonly runsLeft: number | undefined;
  /** Every time up to here has been decided. */
  readonly decidedUntilUs: number;
  /** In the order in which they start. */
  readonly buffered: readonly PendingRun[];
  /** Requested by a manual trigger or a backfill, and not evaluated yet. */
  readonly asked: readonly PendingRun[];
  /** Whether these wait while it is paused: those of a trigger do, since nobody has requested them. */
  readonly keepsAsked?: boolean;
  /** Runs whose job has not ended, or that are about to get one. */
  readonly open: number;
  /** A job of the schedule that has failed since the last evaluation. */
  readonly failedJobId?: string | undefined;
}

export interface Decided extends PendingRun {
  readonly state: 'STARTING' | 'BUFFERED' | 'SKIPPED';
  readonly skipReason?: ScheduleSkipReason;
  /** For consecutive times skipped for the same reason: the last of them, and their number. */
  readonly lastNominalUs?: number;
  readonly times?: number;
}

export interface ScheduleDecision {
  readonly runs: readonly Decided[];
  /** Jobs of earlier runs must be cancelled. */
  readonly cancelsOthers: boolean;
  /** Set: the schedule pauses, for this reason. */
  readonly pauseReason?: string;
  readonly runsLeft: number | undefined;
  /** Later than now if the following times are excluded. */
  readonly decidedUntilUs: number;
  /** More times are due than one evaluation decides. */
  readonly isBehind: boolean;
  /**
   * The first time that has not been decided; undefined: none exists, it has not been found yet, or it may not create a
   * job.
   */
  readonly nextUs: number | undefined;
  /** When to evaluate again; undefined: only on request. */
  readonly nextScanUs: number | undefined;
}

export const TIME_CAUSE_ID = '00000000-0000-0000-0000-000000000000';
/** A time without a job this long after its start is missed: no replica was running. */
const MISSED_US = 10_000_000;
/** Maximum times per evaluation. */
const MAX_TIMES = 200;
/** Maximum runs that wait for the run before them. */
export const MAX_BUFFERED = 1_000;
/** Interval of the check whether an awaited run has ended. */
const WAIT_US = 1_000_000;
/** If all times ahead are excluded: the fraction of that span after which the search for the next time is repeated. */
const SEARCH_AGAIN = 1 / 1_000;

/** A number from 0 to 1 derived from the text: 32-bit FNV-1a. */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // Mixes the bits: otherwise texts that differ only in their last digit would get close numbers.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) / 0x1_0000_0000;
}

/** Delay of a time's start; `nextUs` is the time after it. */
export function jitterOf(seed: string, nominalUs: number, nextUs: number | undefined, jitterMs: number): number {
  const untilUs = nextUs === undefined ? Number.POSITIVE_INFINITY : nextUs - nominalUs;
  return Math.floor(fractionOf(`${seed}/${nominalUs}`) * Math.min(jitterMs * 1_000, untilUs));
}

interface Due {
  readonly nominalUs: number;
  readonly startUs: number;
}

interface DueTimes {
  /** Times that have come. */
  readonly due: readonly Due[];
  /** The first time that has not come, or that exceeds the maximum per evaluation. */
  readonly next?: Due;
  /** Set instead of `next` if it was not found: there is none up to here. */
  readonly searchedUntilUs?: number | undefined;
}

/** The undecided times that have come. */
function dueTimes(status: ScheduleStatus, times: NominalTimes, nowUs: number, endsNow: boolean): DueTimes {
  const { seed, rules, runsLeft, decidedUntilUs } = status;
  const due: Due[] = [];
  if (runsLeft === 0) return { due };
  let { timeUs: nominalUs, searchedUntilUs } = times.after(decidedUntilUs);
  while (nominalUs !== undefined) {
    const following = times.after(nominalUs);
    const untilUs = following.timeUs ?? following.searchedUntilUs;
    const jitteredUs = nominalUs + jitterOf(seed, nominalUs, untilUs, rules.jitterMs);
    const startUs = endsNow && nominalUs <= nowUs ? Math.min(jitteredUs, nowUs) : jitteredUs;
    if (startUs > nowUs || due.length === MAX_TIMES) return { due, next: { nominalUs, startUs } };
    due.push({ nominalUs, startUs });
    ({ timeUs: nominalUs, searchedUntilUs } = following);
  }
  return { due, searchedUntilUs };
}

/** Why a time that has come gets no job, whatever else runs; undefined: it may get one. */
function reasonToPass({ rules, paused }: ScheduleStatus, startUs: number, isLast: boolean, nowUs: number) {
  if (paused) return 'PAUSED';
  const late = nowUs - startUs;
  if (late <= MISSED_US) return undefined;
  if (rules.catchUp === 'NONE' || late > rules.catchUpWindowMs * 1_000) return 'MISSED';
  return rules.catchUp === 'LATEST' && !isLast ? 'MISSED' : undefined;
}

/** Decides runs one by one, each based on the outcome of those before it. */
class Deciding {
  readonly runs: Decided[] = [];
  cancelsOthers = false;
  /**
   * Number of the schedule's own times that start or wait since this evaluation, minus those of any evaluation that
   * were replaced.
   */
  taken = 0;
  /** Runs that have a job, or that an earlier evaluation has started. */
  readonly #open: number;
  /** From earlier evaluations and from this one. */
  #waiting: PendingRun[] = [];
  #starting: PendingRun[] = [];

  constructor(open: number) {
    this.#open = open;
  }

  get isBusy(): boolean {
    return this.#open + this.#starting.length > 0;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** A run that waited before, and continues to wait if it must. */
  resume(run: PendingRun, paused: boolean): void {
    if (!paused && !this.isBusy) {
      this.#start(run);
      return;
    }
    this.#waiting.push(run);
    // Repeated until they have ended: last time the replica may have died before it sent the request.
    if (!paused && run.overlap === 'CANCEL_OTHER') this.cancelsOthers = true;
  }

  /** A new run. */
  take(run: PendingRun): void {
    const { overlap } = run;
    const isFree = !(this.isBusy || this.isWaiting);
    if (overlap === 'CANCEL_OTHER' || overlap === 'TERMINATE_OTHER') this.#replace(run);
    else if (overlap === 'ALLOW_ALL' || isFree) this.#start(run);
    else if (overlap === 'SKIP') this.skip(run, 'OVERLAP');
    else if (this.#waiting.length < (overlap === 'BUFFER_ONE' ? 1 : MAX_BUFFERED)) this.#wait(run);
    else this.skip(run, 'BUFFER_FULL');
  }

  skip(run: PendingRun, skipReason: ScheduleSkipReason): void {
    const last = this.runs.at(-1);
    const continues = last?.skipReason === skipReason && last.cause === 'TIME' && run.cause === 'TIME';
    if (!continues) this.runs.push({ ...run, state: 'SKIPPED', skipReason });
    else this.runs[this.runs.length - 1] = { ...last, lastNominalUs: run.nominalUs, times: (last.times ?? 1) + 1 };
  }

  /** Runs without a job are dropped; a run with a job is cancelled. */
  #replace(run: PendingRun): void {
    const replaced = [...this.#waiting, ...this.#starting];
    this.#waiting = [];
    this.#starting = [];
    for (const one of replaced) this.#drop(one);
    if (this.#open > 0) this.cancelsOthers = true;
    if (this.#open === 0 || run.overlap === 'TERMINATE_OTHER') this.#start(run);
    else this.#wait(run);
  }

  #drop(run: PendingRun): void {
    const isSame = (one: RunKey) => one.nominalUs === run.nominalUs && one.causeId === run.causeId;
    const index = this.runs.findIndex(isSame);
    if (index >= 0) this.runs.splice(index, 1);
    this.#count(run, -1);
    this.runs.push({ ...run, state: 'SKIPPED', skipReason: 'REPLACED' });
  }

  #start(run: PendingRun): void {
    this.#starting.push(run);
    this.#decide({ ...run, state: 'STARTING' });
  }

  #wait(run: PendingRun): void {
    this.#waiting.push(run);
    this.#decide({ ...run, state: 'BUFFERED' });
  }

  #decide(run: Decided): void {
    this.runs.push(run);
    this.#count(run, 1);
  }

  #count({ cause }: PendingRun, runs: number): void {
    if (cause === 'TIME') this.taken += runs;
  }
}

/**
 * A pure function of the stored state and the time; `times` are the times of the rules.
 *
 * @param endsNow Other rules replace these from now on: times that have come are decided now, even if jitter delays
 * their start.
 */
export function decideSchedule(
  given: ScheduleStatus,
  times: NominalTimes,
  nowUs: number,
  endsNow = false,
): ScheduleDecision {
  const fails = given.rules.pauseOnFailure && given.failedJobId !== undefined && !given.paused;
  const status = fails ? { ...given, paused: true } : given;
  const { rules, paused, runsLeft } = status;
  const deciding = new Deciding(status.open);
  for (const run of status.buffered) deciding.resume(run, paused);
  const resumed = deciding.taken;
  if (!(paused && status.keepsAsked)) for (const run of status.asked) deciding.take(run);
  const { due, next, searchedUntilUs } = dueTimes(status, times, nowUs, endsNow);
  // More times may have come after the excluded ones, too.
  const isBehind = next ? next.startUs <= nowUs : searchedUntilUs !== undefined && searchedUntilUs < nowUs;
  // A waiting run was counted when it began to wait.
  const left = () => (runsLeft === undefined ? undefined : runsLeft - (deciding.taken - resumed));
  let { decidedUntilUs } = status;
  for (const [i, { nominalUs, startUs }] of due.entries()) {
    if (left() === 0) break;
    const run: PendingRun = { nominalUs, causeId: TIME_CAUSE_ID, cause: 'TIME', overlap: rules.overlap };
    const reason = reasonToPass(status, startUs, i === due.length - 1 && !isBehind, nowUs);
    if (reason) deciding.skip(run, reason);
    else deciding.take(run);
    decidedUntilUs = nominalUs;
  }
  const isOver = left() === 0;
  if (!isOver) decidedUntilUs = searchedUntilUs ?? decidedUntilUs;
  return {
    runs: deciding.runs,
    cancelsOthers: deciding.cancelsOthers,
    ...(fails ? { pauseReason: `job ${given.failedJobId} failed` } : {}),
    runsLeft: left(),
    decidedUntilUs,
    isBehind: !isOver && isBehind,
    nextUs: isOver ? undefined : next?.nominalUs,
    nextScanUs: scanAtUs(
      status,
      deciding,
      isOver ? undefined : (next?.startUs ?? searchAgain(searchedUntilUs, nowUs)),
      nowUs,
    ),
  };
}

/**
 * When to continue the search for the next time, well before it can come; at once if the search has not reached the
 * present.
 */
function searchAgain(searchedUntilUs: number | undefined, nowUs: number): number | undefined {
  if (searchedUntilUs === undefined) return undefined;
  const aheadUs = searchedUntilUs - nowUs;
  return aheadUs <= 0 ? nowUs : nowUs + Math.floor(Math.min(Math.max(WAIT_US, aheadUs * SEARCH_AGAIN), aheadUs));
}

function scanAtUs({ rules, paused }: ScheduleStatus, deciding: Deciding, nextUs: number | undefined, nowUs: number) {
  const waits = !paused && (deciding.isWaiting || (rules.pauseOnFailure && deciding.isBusy));
  if (!waits) return nextUs;
  return Math.min(nowUs + WAIT_US, nextUs ?? Number.POSITIVE_INFINITY);
}
