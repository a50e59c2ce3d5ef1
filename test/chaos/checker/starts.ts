/**
 * The records of handlers against the lives in the journal: each starts once, under its grant, and alone (I6, I9, I10).
 */
import type { WorkerRecord } from '../harness/records.ts';
import { type Evidence, type Findings, msOf, ROUNDING_MS } from './evidence.ts';
import type { Grant, Lives } from './lives.ts';
import { isBetween, mayBeUnaware } from './restores.ts';

/** Handlers that ignore their signal: an overlap with the next attempt is their own fault. */
const deafHandlers: ReadonlySet<string> = new Set(['stubborn', 'careless']);

/** I6, I9 and I10: a handler starts once, under its grant, before the end of the grant, and overlaps with no other. */
export function checkStarts(evidence: Evidence, lives: Lives, findings: Findings): void {
  const gaps = groupBy(
    evidence.records.filter((record) => record.kind === 'gap'),
    (record) => record.worker,
  );
  const ends = new Map(
    evidence.records.filter((record) => record.kind === 'end').map((record) => [keyOfLife(record), record]),
  );
  const starts = groupBy(
    evidence.records.filter((record) => record.kind === 'start' && !isUndone(record, evidence, lives, findings)),
    keyOf,
  );
  findings.count('process did not run for more than 150 ms', [...gaps.values()].flat().length);
  const didNotRun = (worker: string, from: number, to: number) =>
    gaps.get(worker)?.some((gap) => (gap.from ?? 0) <= to && from <= gap.at) ?? false;
  const byJob = new Map<string, WorkerRecord[]>();
  for (const [key, [start, again]] of starts) {
    if (!start) continue;
    findings.count('handler started');
    if (again && isBetween(start.at, again.at, evidence.restores)) findings.count('started again after a restore');
    else if (again) findings.violate('I9', `${key} was started twice: by ${start.worker} and ${again.worker}`);
    const grant = lives.grantOf(start.job ?? '', start.attempt ?? 0);
    if (grant) checkStart(start, grant, lives, { findings, didNotRun, restores: evidence.restores });
    else findings.violate('I9', `${key} was started by ${start.worker} and never granted`);
    byJob.set(start.job ?? '', [...(byJob.get(start.job ?? '') ?? []), start]);
  }
  for (const attempts of byJob.values()) checkOverlaps(attempts, ends, findings, didNotRun, evidence.leaseMs);
  countDeliveries(evidence, lives, starts, findings);
}

interface StartParts extends Pick<Evidence, 'restores'> {
  readonly findings: Findings;
  readonly didNotRun: DidNotRun;
}

function checkStart(
  start: WorkerRecord,
  grant: Grant,
  lives: Lives,
  { findings, didNotRun, restores }: StartParts,
): void {
  const fence = `${start.job}/${start.attempt} (${start.worker})`;
  const worker = lives.sessions.get(grant.session)?.worker;
  if (worker !== start.worker) findings.violate('I9', `${fence} was started, and ${worker} had been granted it`);
  if (start.at + ROUNDING_MS < msOf(grant.at)) findings.violate('I9', `${fence} was started before it was granted`);
  if (!grant.closed || isBetween(start.at, msOf(grant.closed.at), restores)) return;
  if (grant.closed.how === 'RELEASED') findings.violate('I6', `${fence} was released, and its handler was started`);
  const closedAt = msOf(grant.closed.at);
  if (closedAt + ROUNDING_MS >= start.at) return;
  if (didNotRun(start.worker, closedAt - 1_000, start.at))
    findings.count('started after the attempt was closed, by a process that had been stopped');
  else
    findings.violate(
      'I9',
      `${fence} was started ${Math.round(start.at - closedAt)} ms after it was closed: ${grant.closed.how}`,
    );
}

type DidNotRun = (worker: string, from: number, to: number) => boolean;

function checkOverlaps(
  attempts: readonly WorkerRecord[],
  ends: ReadonlyMap<string, WorkerRecord>,
  findings: Findings,
  didNotRun: DidNotRun,
  leaseMs: number,
): void {
  const inOrder = [...attempts].sort((a, b) => (a.attempt ?? 0) - (b.attempt ?? 0));
  const marginMs = (leaseMs * 2) / 15;
  inOrder.forEach((first, i) => {
    const second = inOrder[i + 1];
    const end = ends.get(keyOfLife(first));
    // Without an end its process died, and the handler with it.
    if (!second || !end || end.at <= second.at + ROUNDING_MS) return;
    const overlap = end.at - second.at;
    if (didNotRun(first.worker, first.at, end.at))
      findings.count("overlap of two attempts: the first one's process had been stopped");
    else if (deafHandlers.has(first.handler ?? ''))
      findings.count("overlap of two attempts: the first one's handler does not look at its signal");
    else if (overlap <= marginMs) findings.count('overlap of two attempts within the margin');
    else
      findings.violate(
        'I10',
        `attempts ${first.attempt} and ${second.attempt} of ${first.job} overlapped by ${overlap} ms (${first.worker}, ${second.worker})`,
      );
  });
}

/** Counts what the worker did with each grant. */
function countDeliveries(
  evidence: Evidence,
  lives: Lives,
  starts: ReadonlyMap<string, WorkerRecord[]>,
  findings: Findings,
): void {
  for (const life of lives.jobs.values()) {
    for (const grant of life.grants) {
      findings.count('attempt granted');
      const [start] = starts.get(`${grant.job}/${grant.attempt}`) ?? [];
      if (!start) findings.count(`granted and never started: ${grant.closed?.how}`);
    }
    if (life.grants.length > 1) findings.count('job granted more than once');
  }
  for (const { event } of evidence.records) if (event) findings.count(`worker event: ${event}`);
}

/** Whether it started under a grant that a restore has undone. */
function isUndone(start: WorkerRecord, { restores, leaseMs }: Evidence, lives: Lives, findings: Findings): boolean {
  if (!mayBeUnaware(start.at, restores, leaseMs)) return false;
  const grant = lives.grantOf(start.job ?? '', start.attempt ?? 0);
  const isItsOwn = grant && lives.sessions.get(grant.session)?.worker === start.worker;
  if (isItsOwn && msOf(grant.at) <= start.at + ROUNDING_MS) return false;
  findings.count('started under a grant that a restore has undone');
  return true;
}

function keyOfLife(record: WorkerRecord): string {
  return `${keyOf(record)}/${record.worker}`;
}

function keyOf(record: WorkerRecord): string {
  return `${record.job}/${record.attempt}`;
}

function groupBy<T>(items: readonly T[], keyOfItem: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOfItem(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
