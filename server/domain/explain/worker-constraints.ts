/** Constraints on a ready job that may start: no worker takes it, or other jobs are ahead of it. */

import { canonicalDemands, fits, type Handler, type LaneKey, parseDemands } from '../dispatch/placement.ts';
import { amountsText, type Taken } from '../dispatch/resources.ts';
import { type Blocker, type Blockers, type Constraint, MAX_BLOCKERS, many } from './constraint.ts';
import { momentText } from './pause-texts.ts';
import { ableOf, lackOf, type PlacementOffer, placementReason } from './placement-reason.ts';

/** An open session. */
export interface OpenSession extends PlacementOffer {
  readonly openTimeUs: number;
  readonly slots: number;
  /** Number of attempts that it holds. */
  readonly held: number;
  /** Why nothing, or none of the jobs in question, is assigned to it; undefined: it takes jobs as capacity allows. */
  readonly unavailable: 'draining' | 'lapsed' | 'deaf' | 'barred' | undefined;
  /** If barred: until when. */
  readonly barredUntilUs?: number;
}

/** The work to place. */
export interface Work {
  readonly lane: LaneKey;
  /** The handler that the lane's definition names. */
  readonly handler: string;
}

/** Sessions that could run the jobs of the lane, whether they take jobs now or not. */
export function fitting(sessions: readonly OpenSession[], { lane, handler }: Work): OpenSession[] {
  return ableOf(sessions, lane, handler);
}

/** A job's position in its lane. */
export interface Line {
  /** Number of jobs ahead of it. */
  readonly before: number;
  /** `before` is a lower bound. */
  readonly isLeast: boolean;
  /** The first of the jobs ahead. */
  readonly first: readonly Blocker[];
}

/** Resource use of the sessions that could run the job. */
export interface CapacityInUse {
  /** By session. */
  readonly taken: ReadonlyMap<string, readonly Taken[]>;
  /** Sessions that are reserved for other lanes. */
  readonly reserved: ReadonlySet<string>;
}

/**
 * Whom a job waits for although others have free slots: a worker by its name, or sessions whose labels match an
 * expression.
 */
export interface Preference {
  readonly worker?: string;
  readonly preferred?: string;
  readonly sessionIds: ReadonlySet<string>;
  /** Approximately the latest time at which others take the job. */
  readonly untilUs: number;
}

export interface WorkerFacts {
  readonly work: Work;
  /** Sessions of the namespace. */
  readonly sessions: readonly OpenSession[];
  /** Other suspects on sessions that could run the job. Undefined: the job is not a suspect. */
  readonly suspects: Blockers | undefined;
  /** Undefined: the job has no position, because it does not wait for a worker yet. */
  readonly line: Line | undefined;
  /** Undefined: the job takes no resources, has no position, or too many sessions could run it. */
  readonly inUse: CapacityInUse | undefined;
  /** Undefined: the job takes any slot. */
  readonly preference?: Preference | undefined;
}

/** In the order in which they must be resolved. */
export function workerConstraints({ work, sessions, suspects, line, inUse, preference }: WorkerFacts): Constraint[] {
  const able = fitting(sessions, work);
  const available = able.filter((session) => session.unavailable === undefined);
  return [
    ...(available.length === 0 ? [noWorker(work, sessions, able)] : []),
    ...(suspects ? [suspectConstraint(suspects)] : []),
    ...(line ? inLine(line, obstacleOf(work, available, inUse, preference)) : []),
  ];
}

/** `GetJob`'s reason for a job that waits for a worker. It does not read the job's position. */
export function workerReason(facts: Omit<WorkerFacts, 'line' | 'inUse'>): Pick<Constraint, 'reason' | 'message'> {
  const [first] = workerConstraints({ ...facts, line: undefined, inUse: undefined });
  if (first) return first;
  const available = fitting(facts.sessions, facts.work).filter(({ unavailable }) => unavailable === undefined);
  const message = obstacleOf(facts.work, available, undefined, facts.preference)?.text ?? '';
  return { reason: 'IN_LINE', message };
}

function noWorker(work: Work, sessions: readonly OpenSession[], able: readonly OpenSession[]): Constraint {
  const wanted = wantedText(work);
  const nextStep = `start a worker that serves ${wanted}; ListWorkers shows the connected workers: muster workers list`;
  const message = able.length > 0 ? unavailableText(work, able) : missingText(work, sessions);
  return { reason: 'NO_WORKER', message, blockers: sessionBlockers(able), openTimeUs: barEnd(able), nextStep };
}

/** When the first bar ends; undefined: no session is barred. */
function barEnd(sessions: readonly OpenSession[]): number | undefined {
  const ends = sessions.flatMap(({ barredUntilUs }) => barredUntilUs ?? []);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

function sessionBlockers(sessions: readonly OpenSession[]): Blockers {
  const list = sessions
    .map(({ sessionId, workerName, openTimeUs }) => ({ sessionId, workerName, sinceUs: openTimeUs }))
    .sort((a, b) => a.sinceUs - b.sinceUs)
    .slice(0, MAX_BLOCKERS);
  return { list, count: sessions.length };
}

/** `definition resize version 3 by its handler convert with the label gpu=a100`. */
function wantedText({ lane, handler }: Work): string {
  const by = handler === lane.definition ? '' : ` by its handler ${handler}`;
  const { sticky } = parseDemands(lane.demands);
  const as = sticky?.mode === 'HARD' ? ` as worker ${sticky.worker}` : '';
  return `definition ${lane.definition} version ${lane.definitionVersion}${by}${as}${labelsText(lane)}`;
}

function labelsOf({ demands }: LaneKey): Record<string, string> {
  return { ...parseDemands(demands).labels };
}

function labelsText(lane: LaneKey): string {
  const labels = Object.entries(labelsOf(lane)).map(([key, value]) => `${key}=${value}`);
  const labelled = labels.length === 0 ? '' : ` with the label${labels.length === 1 ? '' : 's'} ${labels.join(', ')}`;
  const { resources, required } = parseDemands(lane.demands);
  const taking = resources ? ` that has ${amountsText(resources)}` : '';
  return `${labelled}${taking}${required === undefined ? '' : `, whose labels meet: ${required}`}`;
}

const whys = { draining: 'draining', lapsed: 'past its lease', deaf: 'deaf to the message bus' } as const;

function unavailableText(work: Work, able: readonly OpenSession[]): string {
  const counts = Object.entries(whys).flatMap(([why, text]) => {
    const count = able.filter(({ unavailable }) => unavailable === why).length;
    return count === 0 ? [] : `${count} ${count === 1 ? 'is' : 'are'} ${text}`;
  });
  const all = [...counts, ...barredTexts(able)].join(', ');
  return `no session takes ${wantedText(work)}: of the ${many(able.length, 'session')} that could, ${all}`;
}

function barredTexts(able: readonly OpenSession[]): string[] {
  const [end, count] = [barEnd(able), able.filter(({ unavailable }) => unavailable === 'barred').length];
  if (end === undefined) return [];
  const until = `barred until ${momentText(end)}, because a session of the same class reported`;
  return [`${count} ${count === 1 ? 'is' : 'are'} ${until} that it can't run it`];
}

/** What the sessions lack that serve the definition. */
function lackText({ lane, handler }: Work, serving: readonly OpenSession[], none: string): string {
  const { of, nearest } = lackOf(parseDemands(lane.demands), serving);
  if (of === 'worker') return `it ${placementReason(serving, lane, handler, new Map())?.text}`;
  const served = `${none}; ${serveText(nearest.length)} it`;
  if (of === 'labels') return `${served} ${missingLabels(lane)}`;
  return `${served} and ${nearest.length === 1 ? 'has' : 'have'} less`;
}

/** The nearest miss: the right version without the labels, another version, or no session with the handler. */
function missingText(work: Work, sessions: readonly OpenSession[]): string {
  const { lane, handler } = work;
  const none = `no session serves ${wantedText(work)}`;
  if (sessions.length === 0) return `${none}; none is open in its namespace`;
  const handlers = (session: OpenSession) => session.handlers.filter(({ name }) => name === handler);
  const bare = { ...lane, demands: canonicalDemands({ labels: {} }) };
  const serving = sessions.filter((session) => fits(session, bare, handler));
  if (serving.length > 0) return lackText(work, serving, none);
  const others = sessions.filter((session) => handlers(session).length > 0);
  if (others.length === 0) return `${none}; ${serveText(sessions.length)} other handlers`;
  const versions = [...new Set(others.flatMap(handlers).map(versionsText))].sort();
  return `${none}; ${serveText(others.length)} ${versions.join(', ')}`;
}

function serveText(count: number): string {
  return `${many(count, 'session')} ${count === 1 ? 'serves' : 'serve'}`;
}

function missingLabels(lane: LaneKey): string {
  if (parseDemands(lane.demands).required !== undefined) return 'with other labels';
  return Object.keys(labelsOf(lane)).length === 1 ? 'without that label' : 'without all of those labels';
}

function versionsText({ minVersion, maxVersion }: Handler): string {
  if (minVersion === maxVersion) return `version ${minVersion}`;
  if (maxVersion === 0) return `versions from ${minVersion} on`;
  return minVersion === 0 ? `versions up to ${maxVersion}` : `versions ${minVersion} to ${maxVersion}`;
}

function suspectConstraint(suspects: Blockers): Constraint {
  const otherText =
    suspects.count === 0
      ? ''
      : `; ${many(suspects.count, 'session')} that could take it ${suspects.count === 1 ? 'has' : 'have'} one`;
  return {
    reason: 'SUSPECT',
    message: `it was lost with its workers several times in a row, and never runs together with another such job${otherText}`,
    blockers: suspects,
    nextStep: 'wait, or look into why its workers were lost: GetJob shows its attempts',
  };
}

/** Keeps a job from sessions that take matching jobs, even if it is next. */
interface Obstacle {
  readonly text: string;
  readonly sessions: readonly OpenSession[];
  /** Approximately the latest time at which it is gone. */
  readonly untilUs?: number;
  /** What to do other than wait. */
  readonly nextStep: string;
}

/** Undefined: some session would take it now. */
function obstacleOf(
  work: Work,
  available: readonly OpenSession[],
  inUse: CapacityInUse | undefined,
  preference: Preference | undefined,
): Obstacle | undefined {
  const full = exhaustedText(work, available, inUse);
  if (full !== undefined) return { text: full, sessions: available, nextStep: moreWorkers };
  return preference && preferenceConstraint(preference, available);
}

const moreWorkers = 'start more workers or give them more resources';

/** Undefined: the only sessions with free slots are those that it prefers. */
function preferenceConstraint(
  { worker, preferred, sessionIds, untilUs }: Preference,
  available: readonly OpenSession[],
): Obstacle | undefined {
  const isOther = ({ sessionId, held, slots }: OpenSession) => !sessionIds.has(sessionId) && held < slots;
  if (!available.some(isOther)) return undefined;
  const whom = worker === undefined ? `a worker whose labels meet ${preferred}` : `worker ${worker}`;
  const text = `it holds out for ${whom} until about ${momentText(untilUs)}, and then takes any other`;
  const wanted = available.filter(({ sessionId }) => sessionIds.has(sessionId));
  return { text, sessions: wanted, untilUs, nextStep: `give ${whom} more slots` };
}

function inLine({ before, isLeast, first }: Line, obstacle: Obstacle | undefined): Constraint[] {
  if (before === 0 && obstacle === undefined) return [];
  const parts = [before === 0 ? 'it is next' : beforeText(before, isLeast), ...(obstacle ? [obstacle.text] : [])];
  const blockers = before === 0 && obstacle ? sessionBlockers(obstacle.sessions) : { list: first, count: before };
  // Jobs ahead of it may take longer than the obstacle.
  const open = before === 0 && obstacle?.untilUs ? { openTimeUs: obstacle.untilUs, mayOpenSooner: true } : {};
  const nextStep = `wait, ${obstacle?.nextStep ?? moreWorkers}, or raise its priority with UpdateJob`;
  return [{ reason: 'IN_LINE', message: parts.join(', and '), blockers, ...open, nextStep }];
}

function beforeText(before: number, isLeast: boolean): string {
  if (isLeast) return `${before} jobs or more come before it`;
  return `${many(before, 'job')} ${before === 1 ? 'comes' : 'come'} before it`;
}

function exhaustedText(
  work: Work,
  available: readonly OpenSession[],
  inUse: CapacityInUse | undefined,
): string | undefined {
  if (available.length === 0) return undefined;
  const free = available.filter(({ held, slots }) => held < slots);
  return free.length === 0 ? busyText(available) : inUse && noCapacityText(work, free, inUse);
}

function noCapacityText({ lane, handler }: Work, free: readonly OpenSession[], { taken, reserved }: CapacityInUse) {
  const lacking = placementReason(free, lane, handler, taken);
  if (lacking) return `it ${lacking.text}`;
  const others = free.filter(({ sessionId }) => !reserved.has(sessionId));
  const isKept = others.length === 0 || placementReason(others, lane, handler, taken) !== undefined;
  return isKept ? 'the sessions with capacity for it are reserved for jobs that have waited longer' : undefined;
}

function busyText(available: readonly OpenSession[]): string {
  if (available.length === 1) return 'the one session that could take it has no free slot';
  return `none of the ${available.length} sessions that could take it has a free slot`;
}
