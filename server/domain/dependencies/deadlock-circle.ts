/** The chain of waits of a deadlock, from one job on, and its text. */
import { type Constraint, MAX_HOLDERS } from '../explain/constraint.ts';
import type { Blocker, Deadlocks, SessionPlaces, StuckCandidate } from './deadlock.ts';

/** A job, what blocks it, and thereby the link to the next hop. */
export interface Hop {
  readonly job: StuckCandidate;
  readonly blocker: Blocker;
  readonly nextJobId: string;
}

export interface Deadlock {
  readonly hops: readonly Hop[];
  /** The last hop leads back to the first job. Otherwise the job waits behind a circle, which the last hop closes. */
  readonly isCircle: boolean;
}

/** Maximum hops that are named, so that the text fits into an answer. */
const MAX_NAMED = 10;

/** Undefined: the job is not stuck. */
export function deadlockOf(deadlocks: Deadlocks, jobId: string): Deadlock | undefined {
  if (!deadlocks.stuck.has(jobId)) return undefined;
  const circle = shortestCircle(deadlocks, jobId);
  return circle ? { hops: circle, isCircle: true } : { hops: wayIntoCircle(deadlocks, jobId), isCircle: false };
}

function hopsFrom(deadlocks: Deadlocks, jobId: string, seenPlaces = new Set<unknown>()): Hop[] {
  const job = deadlocks.stuck.get(jobId) as StuckCandidate;
  return deadlocks.blockersOf(job).flatMap((blocker): Hop[] => {
    if (blocker.kind === 'END') return [{ job, blocker, nextJobId: blocker.end.jobId }];
    const place = blocker.kind === 'LIMIT' ? blocker.limit.key : blocker.sessions;
    if (seenPlaces.has(place)) return [];
    seenPlaces.add(place);
    return blocker.holders.map((nextJobId) => ({ job, blocker, nextJobId }));
  });
}

function shortestCircle(deadlocks: Deadlocks, jobId: string): Hop[] | undefined {
  const cameBy = new Map<string, Hop>();
  // The holders of a slot are followed once, not once for every job that waits for it.
  const seenPlaces = new Set<unknown>();
  const open = [jobId];
  for (const at of open) {
    for (const hop of hopsFrom(deadlocks, at, seenPlaces)) {
      if (hop.nextJobId === jobId) return [...wayTo(cameBy, jobId, at), hop];
      if (cameBy.has(hop.nextJobId)) continue;
      cameBy.set(hop.nextJobId, hop);
      open.push(hop.nextJobId);
    }
  }
  return undefined;
}

function wayTo(cameBy: ReadonlyMap<string, Hop>, from: string, to: string): Hop[] {
  const way: Hop[] = [];
  for (let at = to; at !== from; ) {
    const hop = cameBy.get(at) as Hop;
    way.push(hop);
    at = hop.job.jobId;
  }
  return way.reverse();
}

function wayIntoCircle(deadlocks: Deadlocks, jobId: string): Hop[] {
  const way: Hop[] = [];
  const seen = new Set<string>();
  for (let at = jobId; !seen.has(at); ) {
    seen.add(at);
    const hops = hopsFrom(deadlocks, at);
    const hop = (hops.find(({ nextJobId }) => seen.has(nextJobId)) ?? hops[0]) as Hop;
    way.push(hop);
    at = hop.nextJobId;
  }
  return way;
}

/** Constraints of a stuck job; empty if it is not stuck. */
export function deadlockConstraints(deadlocks: Deadlocks, jobId: string): Constraint[] {
  const deadlock = deadlockOf(deadlocks, jobId);
  if (!deadlock) return [];
  const others = [...new Set(deadlock.hops.map(({ nextJobId }) => nextJobId))];
  const holders = { list: others.slice(0, MAX_HOLDERS).map((other) => ({ jobId: other })), count: others.length };
  const handler = deadlock.hops.find(({ job }) => job.held)?.job.jobId;
  const nextStep = `let handlers wait with ctx.wait, which gives up their slot; to resolve it now, raise the limit, start a worker, or stop one that waits: muster cancel ${handler}`;
  return [{ reason: 'DEADLOCK', message: `it is in a deadlock: ${deadlockText(deadlock)}`, holders, nextStep }];
}

/** `job A (RUNNING on worker w) waits for job B (READY), which waits for a place in queue q (max_concurrency 1), which is held by job A`. */
export function deadlockText({ hops }: Deadlock): string {
  const rest = hops.length - MAX_NAMED;
  const first = rest > 0 ? hops.slice(0, MAX_NAMED - 1) : hops.slice(0, -1);
  const parts = first.map((hop) => hopText(hop, describedIn(hops, hop.nextJobId)));
  if (rest > 0) parts.push(`${rest} hops further on comes ${describedIn(hops, hops.at(-1)?.job.jobId as string)}`);
  const last = hops.at(-1) as Hop;
  return `${jobText((hops[0] as Hop).job)} ${[...parts, hopText(last, `job ${last.nextJobId}`)].join(', which ')}`;
}

function describedIn(hops: readonly Hop[], jobId: string): string {
  const job = hops.find((hop) => hop.job.jobId === jobId)?.job;
  return job ? jobText(job) : `job ${jobId}`;
}

function jobText({ jobId, state, held }: StuckCandidate): string {
  return `job ${jobId} (${state}${held ? ` on worker ${held.workerName}` : ''})`;
}

function hopText({ blocker }: Hop, next: string): string {
  switch (blocker.kind) {
    case 'END':
      return blocker.end.step === undefined ? `waits for ${next}` : `waits for step ${blocker.end.step} of ${next}`;
    case 'LIMIT':
      return `waits for a place ${blocker.limit.name}, which is held by ${next}${othersText(blocker.holders)}`;
    case 'SESSIONS':
      return `waits for ${sessionsText(blocker.sessions)}, which ${blocker.sessions.length === 1 ? 'is' : 'are'} held by ${next}${othersText(blocker.holders)}`;
  }
}

function othersText(holders: readonly string[]): string {
  if (holders.length < 2) return '';
  return ` and ${holders.length - 1} more that wait${holders.length === 2 ? 's' : ''} like it`;
}

function sessionsText(sessions: readonly SessionPlaces[]): string {
  const [only] = sessions;
  if (sessions.length !== 1 || !only) return `room at one of ${sessions.length} workers`;
  return `room at worker ${only.workerName} (slots ${only.slots})`;
}
