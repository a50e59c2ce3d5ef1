/** Dependencies stored with the jobs of a call, within the transaction that stores those. */
import { decideSkip } from '../../domain/dependencies/dependencies.ts';
import { type LinkedDependency, tracedTargetsOf, whyUnmet } from '../../domain/dependencies/links.ts';
import type { Change } from '../../domain/jobs/run.ts';
import { changeRuns } from '../jobs/change/change-runs.ts';
import type { DependencyRefusal, EdgesOf } from '../ports/dependencies.ts';
import type { Store } from '../ports/store.ts';
import type { Insertion, NewJob, SubmitCall } from '../ports/submissions.ts';
import { linkAll } from './link-targets.ts';

/** The jobs of a call with their dependencies. */
export interface Linked {
  readonly insertion: Insertion;
  readonly edges: readonly EdgesOf[];
  /** Reasons by the id of each job that is to be skipped. */
  readonly skipped: ReadonlyMap<string, string>;
}

/**
 * Runs before the jobs are stored: locks the targets of their dependencies, and decides the first state of each job.
 */
export async function linkJobs(
  tx: Store,
  { namespace }: SubmitCall,
  insertion: Insertion,
): Promise<Linked | DependencyRefusal> {
  const wanted = insertion.jobs.map(({ dependencies }) => dependencies ?? []);
  const lists = await linkAll(tx, namespace, wanted);
  const edges: EdgesOf[] = [];
  const skipped = new Map<string, string>();
  const jobs: NewJob[] = [];
  for (const [i, job] of insertion.jobs.entries()) {
    const found = lists[i] ?? [];
    const missing = found.indexOf(undefined);
    if (missing >= 0) return notFound(insertion, job, missing);
    const links = found as readonly LinkedDependency[];
    const why = whyUnmet(links);
    const open = links.flatMap(({ dependency, ending }) => (ending ? [] : [dependency]));
    if (why) skipped.set(job.jobId, why);
    else if (open.length > 0) edges.push({ jobId: job.jobId, first: 0, dependencies: open });
    const traced = { ...job, tracedTargets: tracedTargetsOf(links) };
    jobs.push(why || open.length > 0 ? { ...traced, state: 'BLOCKED' } : traced);
  }
  return { insertion: { ...insertion, jobs }, edges, skipped };
}

function notFound({ call }: Insertion, job: NewJob, number: number): DependencyRefusal {
  const index = call.jobs.findIndex(({ jobId }) => jobId === job.jobId);
  const on = job.dependencies?.[number]?.on;
  const jobId = on?.kind === 'JOB' ? on.jobId : on?.kind === 'STEP' ? on.workflowJobId : '';
  return { kind: 'targetNotFound', index, number, jobId };
}

/** Runs once the jobs are stored. Returns the jobs that have ended. */
export async function storeLinks(
  tx: Store,
  { namespace }: SubmitCall,
  { insertion, edges, skipped }: Linked,
): Promise<Change[]> {
  await tx.dependencies.insertEdges(namespace, edges);
  const timed = insertion.jobs.filter(({ state, runTimeUs }) => state === 'BLOCKED' && runTimeUs !== undefined);
  if (timed.length > 0) await tx.dependencies.keepStarts(timed);
  return endSkipped(tx, namespace, skipped);
}

const JOBS_PER_STATEMENT = 1_000;

async function endSkipped(tx: Store, namespace: string, skipped: ReadonlyMap<string, string>): Promise<Change[]> {
  const changes: Change[] = [];
  const jobIds = [...skipped.keys()];
  for (let at = 0; at < jobIds.length; at += JOBS_PER_STATEMENT) {
    const some = { by: 'jobs', namespace, jobIds: jobIds.slice(at, at + JOBS_PER_STATEMENT) } as const;
    changes.push(...(await changeRuns(tx, some, (run) => decideSkip(run, skipped.get(run.jobId) as string))));
  }
  return changes;
}
