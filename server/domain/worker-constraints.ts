/** What keeps a ready job from starting once it may: no worker takes it, or others come before it. */
import { type Constraint, type Holder, type Holders, MOST_HOLDERS, many } from './constraint.ts';
import { canonicalDemands, fits, type Handler, type LaneKey, parseDemands } from './placement.ts';
import { ableOf, lackOf, type PlacementOffer, placementReason } from './placement-reason.ts';
import { amountsText, type Taken } from './resources.ts';

/** A session that is open. */
export interface OpenSession extends PlacementOffer {
  readonly openTimeUs: number;
  readonly slots: number;
  /** Attempts that it has. */
  readonly held: number;
  /** Why nothing is assigned to it; undefined: it takes what it has room for. */
  readonly unavailable: 'draining' | 'lapsed' | 'deaf' | undefined;
}

/** What has to be run. */
export interface Work {
  readonly lane: LaneKey;
  /** That the lane's definition names for it. */
  readonly handler: string;
}

/** Those that could run the jobs of the lane, whether they take anything now or not. */
export function fitting(sessions: readonly OpenSession[], { lane, handler }: Work): OpenSession[] {
  return ableOf(sessions, lane, handler);
}

/** Where a job stands. */
export interface Line {
  /** Jobs that come before it. */
  readonly before: number;
  /** There are more. */
  readonly isLeast: boolean;
  /** The first of them. */
  readonly first: readonly Holder[];
}

/** What is left of the resources of sessions that could run the job. */
export interface Room {
  /** By session. */
  readonly taken: ReadonlyMap<string, readonly Taken[]>;
  /** Sessions that are kept free for jobs of other lanes. */
  readonly reserved: ReadonlySet<string>;
}

export interface WorkerFacts {
  readonly work: Work;
  /** Of the namespace; at most `MOST_SESSIONS`. */
  readonly sessions: readonly OpenSession[];
  /** Other suspects that sessions have which could run the job. Undefined: the job is no suspect. */
  readonly suspects: Holders | undefined;
  /** Undefined: the job is not in line, as it does not wait for a worker yet. */
  readonly line: Line | undefined;
  /** Undefined: the job takes no resources, or is not in line, or too many sessions could run it. */
  readonly room: Room | undefined;
}

/** In the order in which they have to give way. */
export function workerConstraints({ work, sessions, suspects, line, room }: WorkerFacts): Constraint[] {
  const able = fitting(sessions, work);
  const available = able.filter((session) => session.unavailable === undefined);
  return [
    ...(available.length === 0 ? [noWorker(work, sessions, able)] : []),
    ...(suspects ? [suspectConstraint(suspects)] : []),
    ...(line ? inLine(line, available, fullText(work, available, room)) : []),
  ];
}

function noWorker(work: Work, sessions: readonly OpenSession[], able: readonly OpenSession[]): Constraint {
  const wanted = wantedText(work);
  const nextStep = `start a worker that serves ${wanted}; ListWorkers shows those that are there: muster workers list`;
  const message = able.length > 0 ? unavailableText(work, able) : missingText(work, sessions);
  return { reason: 'NO_WORKER', message, holders: sessionHolders(able), nextStep };
}

function sessionHolders(sessions: readonly OpenSession[]): Holders {
  const list = sessions
    .map(({ sessionId, workerName, openTimeUs }) => ({ sessionId, workerName, sinceUs: openTimeUs }))
    .sort((a, b) => a.sinceUs - b.sinceUs)
    .slice(0, MOST_HOLDERS);
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
  return `no session takes ${wantedText(work)}: of the ${many(able.length, 'session')} that could, ${counts.join(', ')}`;
}

/** What those lack that serve the definition. */
function lackText({ lane, handler }: Work, serving: readonly OpenSession[], none: string): string {
  const { of, nearest } = lackOf(parseDemands(lane.demands), serving);
  if (of === 'worker') return `it ${placementReason(serving, lane, handler, new Map())?.text}`;
  const served = `${none}; ${serveText(nearest.length)} it`;
  if (of === 'labels') return `${served} ${missingLabels(lane)}`;
  return `${served} and ${nearest.length === 1 ? 'has' : 'have'} less`;
}

/** What comes nearest: the right version without the labels, another version, or the handler not at all. */
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

function suspectConstraint(suspects: Holders): Constraint {
  const beside =
    suspects.count === 0
      ? ''
      : `; ${many(suspects.count, 'session')} that could take it ${suspects.count === 1 ? 'has' : 'have'} one`;
  return {
    reason: 'SUSPECT',
    message: `it was lost with its workers several times in a row, and is run beside no other such job${beside}`,
    holders: suspects,
    nextStep: 'wait, or look into why its workers were lost: GetJob shows its attempts',
  };
}

/** `full` says why no session takes anything like it now; undefined: one does. */
function inLine(
  { before, isLeast, first }: Line,
  available: readonly OpenSession[],
  full: string | undefined,
): Constraint[] {
  if (before === 0 && full === undefined) return [];
  const parts = [before === 0 ? 'it is next' : beforeText(before, isLeast), ...(full === undefined ? [] : [full])];
  const holders = before === 0 ? sessionHolders(available) : { list: first, count: before };
  const nextStep = 'wait, start more workers or give them more to offer, or raise its priority with UpdateJob';
  return [{ reason: 'IN_LINE', message: parts.join(', and '), holders, nextStep }];
}

function beforeText(before: number, isLeast: boolean): string {
  if (isLeast) return `${before} jobs or more come before it`;
  return `${many(before, 'job')} ${before === 1 ? 'comes' : 'come'} before it`;
}

function fullText(work: Work, available: readonly OpenSession[], room: Room | undefined): string | undefined {
  if (available.length === 0) return undefined;
  const free = available.filter(({ held, slots }) => held < slots);
  return free.length === 0 ? busyText(available) : room && noRoomText(work, free, room);
}

function noRoomText({ lane, handler }: Work, free: readonly OpenSession[], { taken, reserved }: Room) {
  const lacking = placementReason(free, lane, handler, taken);
  if (lacking) return `it ${lacking.text}`;
  const others = free.filter(({ sessionId }) => !reserved.has(sessionId));
  const isKept = others.length === 0 || placementReason(others, lane, handler, taken) !== undefined;
  return isKept
    ? 'the sessions that have room for it are kept free for jobs that have waited for room longer'
    : undefined;
}

function busyText(available: readonly OpenSession[]): string {
  if (available.length === 1) return 'the one session that could take it has no free slot';
  return `none of the ${available.length} sessions that could take it has a free slot`;
}
