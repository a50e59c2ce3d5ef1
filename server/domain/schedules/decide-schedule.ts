/** What a schedule does now: which of its times have come, which of them get a job, which wait, and which are skipped and why. */
import type { NominalTimes } from './nominal-times.ts';
import type { PendingRun, RunKey, ScheduleRules, ScheduleSkipReason } from './schedule.ts';

/** A schedule as it is when it is looked at. Times are µs on the database's clock. */
export interface ScheduleStatus {
  readonly rules: ScheduleRules;
  /** Tells schedules apart, for their jitter. */
  readonly seed: string;
  readonly paused: boolean;
  /** Jobs that its times may still give; undefined: any number. */
  readonly runsLeft: number | undefined;
  /** Every time up to here has been decided. */
  readonly decidedUntilUs: number;
  /** In the order in which they are to start. */
  readonly buffered: readonly PendingRun[];
  /** Asked for by hand and not looked at yet. */
  readonly asked: readonly PendingRun[];
  /** Runs whose job has not ended, or that are about to get one. */
  readonly open: number;
  /** A job of it that has failed since the last look. */
  readonly failedJobId?: string | undefined;
}

export interface Decided extends PendingRun {
  readonly state: 'STARTING' | 'BUFFERED' | 'SKIPPED';
  readonly skipReason?: ScheduleSkipReason;
  /** Of times skipped one after the other for one reason: the last of them, and how many. */
  readonly lastNominalUs?: number;
  readonly times?: number;
}

export interface ScheduleDecision {
  readonly runs: readonly Decided[];
  /** Jobs that run on from before are asked to stop. */
  readonly cancelsOthers: boolean;
  /** Set: it pauses, for this reason. */
  readonly pauseReason?: string;
  readonly runsLeft: number | undefined;
  /** Later than now where what follows is excluded. */
  readonly decidedUntilUs: number;
  /** There were more times than are decided in one look: others have come too. */
  readonly isBehind: boolean;
  /** The first time that has not been decided; undefined: there is none, it has not been found yet, or it may give no job. */
  readonly nextUs: number | undefined;
  /** When to look again; undefined: not before somebody asks. */
  readonly nextScanUs: number | undefined;
}

export const TIME_CAUSE_ID = '00000000-0000-0000-0000-000000000000';
/** A time whose job is not there so long after is missed: nobody was there to see it. */
const MISSED_US = 10_000_000;
/** Times for one look. */
const MAX_TIMES = 200;
/** Runs that may wait for the one before them. */
export const MAX_BUFFERED = 1_000;
/** How often it is looked whether what a run waits for has ended. */
const WAIT_US = 1_000_000;
/** Of how far ahead all times are excluded: the part after which it is looked for a next one again. */
const SEARCH_AGAIN = 1 / 1_000;

/** A number from 0 to 1 that follows from the text: FNV-1a, 32 bits wide. */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // Texts that differ in their last digit only would lie close to each other.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) / 0x1_0000_0000;
}

/** By how much the start of a time is put off; `nextUs` is the one after it. */
export function jitterOf(seed: string, nominalUs: number, nextUs: number | undefined, jitterMs: number): number {
  const untilUs = nextUs === undefined ? Number.POSITIVE_INFINITY : nextUs - nominalUs;
  return Math.floor(fractionOf(`${seed}/${nominalUs}`) * Math.min(jitterMs * 1_000, untilUs));
}

interface Due {
  readonly nominalUs: number;
  readonly startUs: number;
}

interface DueTimes {
  /** Those that have come. */
  readonly due: readonly Due[];
  /** The first that has not, or that has no room in this look. */
  readonly next?: Due;
  /** Set instead of `next` where it has not been found: up to here there is none. */
  readonly searchedUntilUs?: number | undefined;
}

/** The times that have not been decided, as far as they have come. */
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

/** Why a time that has come gets no job, whatever else runs; undefined: it may. */
function reasonToPass({ rules, paused }: ScheduleStatus, startUs: number, isLast: boolean, nowUs: number) {
  if (paused) return 'PAUSED';
  const late = nowUs - startUs;
  if (late <= MISSED_US) return undefined;
  if (rules.catchUp === 'NONE' || late > rules.catchUpWindowMs * 1_000) return 'MISSED';
  return rules.catchUp === 'LATEST' && !isLast ? 'MISSED' : undefined;
}

/** Decides runs one after the other, each by what the ones before have left. */
class Deciding {
  readonly runs: Decided[] = [];
  cancelsOthers = false;
  /** Of the schedule's own times: those that start or wait since this look, less those of any look that were replaced. */
  taken = 0;
  /** Runs that have a job, or are about to get one since an earlier look. */
  readonly #open: number;
  /** Of earlier looks and of this one. */
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

  /** One that has waited before, and goes on with it while it must. */
  resume(run: PendingRun, paused: boolean): void {
    if (!paused && !this.isBusy) {
      this.#start(run);
      return;
    }
    this.#waiting.push(run);
    // Again and again, until they have ended: the last time the replica may have died before it asked.
    if (!paused && run.overlap === 'CANCEL_OTHER') this.cancelsOthers = true;
  }

  /** A new one. */
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

  /** What has no job yet makes way; what has one is asked to stop. */
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
 * A pure function of what is stored and the time; `times` are those of the rules.
 *
 * @param endsNow Other times take the place of these from now on: what has come is decided, though its start was put off.
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
  for (const run of status.asked) deciding.take(run);
  const { due, next, searchedUntilUs } = dueTimes(status, times, nowUs, endsNow);
  // Others may have come behind what is excluded, too.
  const isBehind = next ? next.startUs <= nowUs : searchedUntilUs !== undefined && searchedUntilUs < nowUs;
  // What has waited was counted when it began to.
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

/** When to look on for a next time, well before it can come; at once where there may be some that have. */
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
