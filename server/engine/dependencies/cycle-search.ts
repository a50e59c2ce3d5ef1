/** Looks for circles before edges are made: walks what is waited for, and reads no more of it than it comes by. */
import type { Dependency, DependsOn } from '../../domain/dependencies.ts';
import { cycleText, MOST_WALKED, nodeText, type WaitNode, WaitWalk } from '../../domain/dependency-cycle.ts';
import type { Ancestor, DependencyStore, TargetJob } from '../dependency-views.ts';
import { EngineError } from '../errors.ts';
import type { Lanes } from '../lanes.ts';
import { requireLanes } from '../unknown-lanes.ts';
import { bodyOf } from '../workflows/bodies.ts';

/** Nodes that are read at once. */
const MOST_AT_ONCE = 200;

export type CycleStore = Pick<
  DependencyStore,
  'readWaited' | 'readWaitingChildren' | 'readTargets' | 'readSteps' | 'readAncestors'
>;

type LanesPart = Pick<Lanes, 'load' | 'get'>;
type StepNode = WaitNode & { readonly kind: 'STEP' };

/** Whose edges they are. */
export interface Waiter {
  readonly namespace: string;
  /** Undefined: a new one. */
  readonly jobId: string | undefined;
  /** The job that a new one is a child of, which waits for it. */
  readonly parentJobId?: string | undefined;
  /** The step of that job that a new one is made for. Left out: it is for none. */
  readonly parentStep?: { readonly step: number; readonly name: string };
}

/** What refuses edges: DEPENDENCY_CYCLE, DEPENDENCY_GRAPH_TOO_LARGE. Undefined: nothing. Within a transaction: throws UnknownLane. */
export async function cycleOf(
  store: CycleStore,
  lanes: LanesPart,
  waiter: Waiter,
  dependencies: readonly Dependency[],
  field: string,
): Promise<EngineError | undefined> {
  const search = new CycleSearch(store, lanes, waiter.namespace);
  const walk = new WaitWalk(
    dependencies.flatMap(({ on }) => nodeOf(on)),
    await search.goalsOf(waiter),
  );
  for (let nodes = walk.next(MOST_AT_ONCE); nodes.length > 0; nodes = walk.next(MOST_AT_ONCE))
    await search.go(walk, nodes);
  if (walk.cycle) return closesCycle(waiter, walk.cycle, field);
  return walk.isTooLarge ? tooLarge(field) : undefined;
}

/** Nobody is known to publish an asset. */
function nodeOf(on: DependsOn): WaitNode[] {
  switch (on.kind) {
    case 'JOB':
      return [{ kind: 'JOB', jobId: on.jobId }];
    case 'STEP':
      return [{ kind: 'STEP', jobId: on.workflowJobId, step: on.number ?? 0, name: on.step }];
    case 'ASSET':
      return [];
  }
}

function closesCycle(waiter: Waiter, cycle: readonly WaitNode[], field: string): EngineError {
  const itself = waiterNode(waiter);
  const text = itself ? cycleText(nodeText(itself), cycle) : `${cycleText('the new job', cycle)} waits for the new job`;
  return new EngineError('DEPENDENCY_CYCLE', `${field}: jobs would wait for each other in a circle: ${text}`, {
    field,
    metadata: { cycle: text },
  });
}

/** Undefined: a new job, which has no name yet. */
function waiterNode({ jobId, parentJobId, parentStep }: Waiter): WaitNode | undefined {
  if (jobId !== undefined) return { kind: 'JOB', jobId };
  return parentJobId !== undefined && parentStep ? { kind: 'STEP', jobId: parentJobId, ...parentStep } : undefined;
}

function tooLarge(field: string): EngineError {
  return new EngineError(
    'DEPENDENCY_GRAPH_TOO_LARGE',
    `${field}: more than ${MOST_WALKED} jobs and steps wait behind each other, and no circle can be ruled out; depend on fewer`,
    { field, metadata: { max_walked: String(MOST_WALKED) } },
  );
}

class CycleSearch {
  readonly #store: CycleStore;
  readonly #lanes: LanesPart;
  readonly #namespace: string;

  constructor(store: CycleStore, lanes: LanesPart, namespace: string) {
    this.#store = store;
    this.#lanes = lanes;
    this.#namespace = namespace;
  }

  /** The job itself, and what waits for it since it is a part of it, each with the way on to the job. */
  async goalsOf({ jobId, parentJobId, parentStep }: Waiter): Promise<WaitNode[][]> {
    if (jobId === undefined && parentJobId === undefined) return [];
    const first: WaitNode = { kind: 'JOB', jobId: (jobId ?? parentJobId) as string };
    const itself: WaitNode[] = parentStep ? [{ kind: 'STEP', jobId: first.jobId, ...parentStep }] : [];
    let way: readonly WaitNode[] = [first, ...itself];
    const goals: WaitNode[][] = [[...way], ...(parentStep ? [itself] : [])];
    const ancestors = await this.#store.readAncestors(first.jobId);
    this.#require(ancestors);
    for (const ancestor of ancestors) {
      const step = this.#stepOf(ancestor);
      if (step) way = [step, ...way];
      if (step) goals.push([...way]);
      way = [{ kind: 'JOB', jobId: ancestor.jobId }, ...way];
      goals.push([...way]);
    }
    return goals;
  }

  async go(walk: WaitWalk, nodes: readonly WaitNode[]): Promise<void> {
    const jobs = nodes.filter((node) => node.kind === 'JOB');
    const steps = nodes.filter((node) => node.kind === 'STEP');
    if (jobs.length > 0) await this.#goJobs(walk, jobs);
    if (steps.length > 0) await this.#goSteps(walk, steps);
  }

  async #goJobs(walk: WaitWalk, jobs: readonly WaitNode[]): Promise<void> {
    const open = await this.#store.readWaited(jobs.map(({ jobId }) => jobId));
    for (const { jobId, dependencies } of open)
      walk.add(
        { kind: 'JOB', jobId },
        dependencies.flatMap(({ on }) => nodeOf(on)),
      );
    const parents = open.filter(({ state }) => state === 'WAITING').map(({ jobId }) => jobId);
    if (parents.length === 0) return;
    for (const { parentJobId, jobId } of await this.#store.readWaitingChildren(parents, MOST_WALKED + 1))
      walk.add({ kind: 'JOB', jobId: parentJobId }, [{ kind: 'JOB', jobId }]);
  }

  async #goSteps(walk: WaitWalk, steps: readonly StepNode[]): Promise<void> {
    const workflows = await this.#store.readTargets(this.#namespace, [...new Set(steps.map(({ jobId }) => jobId))]);
    this.#require(workflows);
    const byId = new Map(workflows.map((job) => [job.jobId, job]));
    const known = await this.#store.readSteps(steps);
    const states = new Map(known.map((one) => [`${one.jobId}/${one.step}`, one.state]));
    const running: StepNode[] = [];
    for (const node of steps) {
      const state = states.get(`${node.jobId}/${node.step}`) ?? 'WAITING';
      const workflow = byId.get(node.jobId);
      if (state === 'RUNNING') running.push(node);
      else if (state === 'WAITING' && workflow) walk.add(node, this.#beforeStep(node, workflow));
    }
    await this.#goRunning(walk, running);
  }

  async #goRunning(walk: WaitWalk, running: readonly StepNode[]): Promise<void> {
    if (running.length === 0) return;
    const ids = [...new Set(running.map(({ jobId }) => jobId))];
    const children = await this.#store.readWaitingChildren(ids, MOST_WALKED + 1);
    for (const node of running)
      for (const child of children)
        if (child.parentJobId === node.jobId && child.step === node.step)
          walk.add(node, [{ kind: 'JOB', jobId: child.jobId }]);
  }

  /** A step that is not started waits for those that it needs, for the phases before its own, and for its workflow's start. */
  #beforeStep({ jobId, step }: StepNode, { laneId, state }: TargetJob): WaitNode[] {
    const definition = this.#lanes.get(laneId)?.definitionBody;
    if (!definition?.workflow) return [];
    const { graph } = bodyOf(definition);
    const { role, rule } = graph.step(step);
    const before = [
      ...(rule === 'ALWAYS' ? [] : graph.needs(step)),
      ...(role === 'NORMAL' ? [] : graph.leaves('NORMAL')),
      ...(role === 'FINALLY' ? graph.leaves('ON_FAILURE') : []),
    ];
    const isStarted = state === 'WAITING' || state === 'CANCELLING';
    return [
      ...(isStarted ? [] : [{ kind: 'JOB', jobId } as const]),
      ...before.map((need) => ({ kind: 'STEP', jobId, step: need, name: graph.step(need).name }) as const),
    ];
  }

  /** Undefined: the parent has no steps, as a batch. */
  #stepOf({ jobId, laneId, step }: Ancestor): StepNode | undefined {
    const definition = this.#lanes.get(laneId)?.definitionBody;
    if (!definition?.workflow) return undefined;
    return { kind: 'STEP', jobId, step, name: bodyOf(definition).graph.step(step).name };
  }

  #require(jobs: readonly { readonly laneId: number }[]): void {
    requireLanes(
      this.#lanes,
      jobs.map(({ laneId }) => laneId),
    );
  }
}
