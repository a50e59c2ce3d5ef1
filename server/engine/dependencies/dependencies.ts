/** Adds dependencies to waiting jobs, and lists published assets. */
import { type Dependency, decideBlock, decideSkip, MAX_DEPENDENCIES } from '../../domain/dependencies/dependencies.ts';
import { whyUnmet } from '../../domain/dependencies/links.ts';
import type { Change, OpenRun } from '../../domain/jobs/run.ts';
import type { DbClock } from '../base/db-clock.ts';
import { EngineError } from '../base/errors.ts';
import { once } from '../base/requests.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import { jobNotFound } from '../jobs/change/cancels.ts';
import type { Changes } from '../jobs/change/changes.ts';
import type { AssetPage } from '../ports/dependencies.ts';
import type { Decide, JobView } from '../ports/jobs.ts';
import type { Random } from '../ports/ports.ts';
import type { RequestKey, Store } from '../ports/store.ts';
import { cycleOf } from './cycle-search.ts';
import { resolveDependencies, targetNotFound } from './resolve.ts';

export interface DependenciesParts {
  readonly store: Pick<Store, 'dependencies' | 'together' | 'change'>;
  readonly readJob: Store['readJob'];
  readonly changes: Changes;
  readonly lanes: Pick<Lanes, 'load' | 'get'>;
  readonly clock: Pick<DbClock, 'nowUs'>;
  readonly random: Random;
}

export interface Addition {
  readonly namespace: string;
  readonly jobId: string;
  readonly dependencies: readonly Dependency[];
}

export class Dependencies {
  readonly #parts: DependenciesParts;

  constructor(parts: DependenciesParts) {
    this.#parts = parts;
  }

  /**
   * Resolves with the job; for a repeat, in its current state. Throws JOB_NOT_FOUND, JOB_ENDED, JOB_NOT_WAITING,
   * NOT_A_WORKFLOW, TOO_MANY_DEPENDENCIES, DEPENDENCY_CYCLE, DEPENDENCY_GRAPH_TOO_LARGE, REQUEST_ID_REUSED.
   */
  async add(asked: Addition, request: RequestKey | undefined): Promise<JobView> {
    const { changes } = this.#parts;
    const { namespace, jobId } = asked;
    await this.#openJob(asked);
    const dependencies = await resolveDependencies(this.#parts, namespace, asked.dependencies, '');
    await changes.applyWith(
      (decideAll) => this.#store({ ...asked, dependencies }, request, decideAll),
      (run, nowUs) => decideBlock(run, { nowUs, random: 0 }) as Change,
    );
    const job = await this.#parts.readJob(namespace, jobId);
    if (!job) throw jobNotFound(namespace, jobId);
    return job;
  }

  listAssets(namespace: string, afterName: string, limit: number): Promise<AssetPage> {
    return this.#parts.store.dependencies.listAssets(namespace, afterName, limit);
  }

  async #openJob({ namespace, jobId }: Addition): Promise<void> {
    const job = await this.#parts.readJob(namespace, jobId);
    if (!job) throw jobNotFound(namespace, jobId);
  }

  async #store(asked: Addition, request: RequestKey | undefined, decideAll: Decide): Promise<Change[]> {
    const { store } = this.#parts;
    const work = (inner: Pick<Store, 'dependencies' | 'change'>) => this.#within(inner, asked, decideAll);
    if (!request) return store.together(work);
    const done = await once(store, asked.namespace, request, work);
    return done.repeated ? [] : done.value;
  }

  async #within(
    store: Pick<Store, 'dependencies' | 'change'>,
    { namespace, jobId, dependencies }: Addition,
    decideAll: Decide,
  ): Promise<Change[]> {
    await store.dependencies.lockEdges(namespace);
    const { count, links: found } = await store.dependencies.link(namespace, jobId, dependencies);
    const links = found.map((link, i) => link ?? refuseTarget(namespace, dependencies[i] as Dependency, i));
    const field = 'depends_on';
    const cycle = await cycleOf(store.dependencies, this.#parts.lanes, { namespace, jobId }, dependencies, field);
    if (cycle) throw cycle;
    const open = links.flatMap(({ dependency, ending }) => (ending ? [] : [dependency]));
    if (count + open.length > MAX_DEPENDENCIES) throw tooMany(jobId, count);
    const unmet = whyUnmet(links);
    let isOpen = false;
    const changes = await store.change({ by: 'jobs', namespace, jobIds: [jobId] }, (run, nowUs) => {
      isOpen = true;
      if (decideBlock(run, { nowUs, random: 0 }) === 'NOT_WAITING') throw notWaiting(run);
      if (unmet) return decideSkip(run, unmet);
      return open.length > 0 ? decideAll(run, nowUs) : undefined;
    });
    if (!isOpen) throw ended(jobId);
    if (changes[0]?.kind === 'continue') await store.dependencies.addEdges(namespace, jobId, open);
    await store.dependencies.keepTargets(jobId, links);
    return changes;
  }
}

function refuseTarget(namespace: string, { on }: Dependency, i: number): never {
  if (on.kind === 'JOB') throw targetNotFound(namespace, on.jobId, `depends_on[${i}].job_id`);
  throw targetNotFound(namespace, on.kind === 'STEP' ? on.workflowJobId : '', `depends_on[${i}].step.workflow_job_id`);
}

function tooMany(jobId: string, count: number): EngineError {
  return new EngineError(
    'TOO_MANY_DEPENDENCIES',
    `job ${jobId} waits for ${count} already and may depend on ${MAX_DEPENDENCIES} in all; a job in between can wait for the others`,
    { field: 'depends_on', metadata: { job_id: jobId, max_dependencies: String(MAX_DEPENDENCIES) } },
  );
}

function notWaiting({ jobId, state }: OpenRun): EngineError {
  return new EngineError(
    'JOB_NOT_WAITING',
    `job ${jobId} is ${state}: only one that is BLOCKED, SCHEDULED or READY can be made to wait for more`,
    { metadata: { job_id: jobId, state } },
  );
}

function ended(jobId: string): EngineError {
  return new EngineError('JOB_ENDED', `job ${jobId} has ended and no longer waits`, {
    metadata: { job_id: jobId },
  });
}
