/**
 * Searches for cycles before dependency edges are added: walks along the waits, and reads only the nodes it reaches.
 */
import { BATCH_DEFINITION } from '../../domain/batches/batch.ts';
import type { Dependency, DependsOn } from '../../domain/dependencies/dependencies.ts';
import {
  cycleText,
  keyOfNode,
  MAX_VISITED,
  nodeText,
  type WaitNode,
  WaitWalk,
} from '../../domain/dependencies/dependency-cycle.ts';
import { compensatedStep } from '../../domain/workflows/compensation.ts';
import type { Graph } from '../../domain/workflows/graph.ts';
import { newRun, phaseOf, waitOf } from '../../domain/workflows/phases.ts';
import { EngineError } from '../base/errors.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import { requireLanes } from '../dispatch/unknown-lanes.ts';
import type { Ancestor, DependencyStore, TargetJob, WorkflowStage } from '../ports/dependencies.ts';
import { bodyOf } from '../workflows/bodies.ts';

/** Max nodes per read. */
const MAX_AT_ONCE = 200;

export type CycleStore = Pick<
  DependencyStore,
  | 'readOpenJobs'
  | 'readDependencies'
  | 'readWaitingChildren'
  | 'readTargets'
  | 'readSteps'
  | 'readStages'
  | 'readAncestors'
>;

type LanesPart = Pick<Lanes, 'load' | 'get'>;
type Stage = Pick<WorkflowStage, 'phase' | 'stopReason'>;
type StepNode = WaitNode & { readonly kind: 'STEP' };

/** The job that gets the edges. */
export interface Waiter {
  readonly namespace: string;
  /** Undefined: a new job. */
  readonly jobId: string | undefined;
  /** The parent of a new job, which waits for it. */
  readonly parentJobId?: string | undefined;
  /** The parent's step that a new job belongs to. Undefined: none. */
  readonly parentStep?: { readonly step: number; readonly name: string };
}

/**
 * Why the edges are refused: DEPENDENCY_CYCLE, DEPENDENCY_GRAPH_TOO_LARGE. Undefined: they are not. Within a
 * transaction: throws UnknownLane.
 */
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
  for (let nodes = walk.next(MAX_AT_ONCE); nodes.length > 0; nodes = walk.next(MAX_AT_ONCE))
    await search.go(walk, nodes);
  if (walk.cycle) return closesCycle(waiter, walk.cycle, field);
  return walk.isTooLarge ? tooLarge(field) : undefined;
}

/** An asset has no node: its publisher is not known in advance. */
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

/** Undefined: a new job, which has no id yet. */
function waiterNode({ jobId, parentJobId, parentStep }: Waiter): WaitNode | undefined {
  if (jobId !== undefined) return { kind: 'JOB', jobId };
  return parentJobId !== undefined && parentStep ? { kind: 'STEP', jobId: parentJobId, ...parentStep } : undefined;
}

function tooLarge(field: string): EngineError {
  return new EngineError(
    'DEPENDENCY_GRAPH_TOO_LARGE',
    `${field}: more than ${MAX_VISITED} jobs and steps wait behind each other, so a circle can't be ruled out; depend on fewer`,
    { field, metadata: { max_walked: String(MAX_VISITED) } },
  );
}

class CycleSearch {
  readonly #store: CycleStore;
  readonly #lanes: LanesPart;
  readonly #namespace: string;
  /** Goals that are steps, by the job of their workflow. */
  readonly #goals = new Map<string, StepNode[]>();
  /** Phases of workflows whose earlier phases have been walked. */
  readonly #phases = new Set<string>();

  constructor(store: CycleStore, lanes: LanesPart, namespace: string) {
    this.#store = store;
    this.#lanes = lanes;
    this.#namespace = namespace;
  }

  /** The job itself and its ancestors, which wait for it as a part of them; each with its path to the job. */
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
    for (const [goal] of goals)
      if (goal?.kind === 'STEP') this.#goals.set(goal.jobId, [...(this.#goals.get(goal.jobId) ?? []), goal]);
    return goals;
  }

  async go(walk: WaitWalk, nodes: readonly WaitNode[]): Promise<void> {
    const jobs = nodes.filter((node) => node.kind === 'JOB');
    const steps = nodes.filter((node) => node.kind === 'STEP');
    if (jobs.length > 0) await this.#walkJobs(walk, jobs);
    if (steps.length > 0) await this.#walkSteps(walk, steps);
  }

  async #walkJobs(walk: WaitWalk, jobs: readonly WaitNode[]): Promise<void> {
    const jobIds = jobs.map(({ jobId }) => jobId);
    const [open, all] = await Promise.all([this.#store.readOpenJobs(jobIds), this.#store.readDependencies(jobIds)]);
    const byJob = Map.groupBy(all, ({ jobId }) => jobId);
    for (const { jobId } of open)
      walk.add(
        { kind: 'JOB', jobId },
        (byJob.get(jobId) ?? []).flatMap(({ on }) => nodeOf(on)),
      );
    const cancelled = open.filter(({ state }) => state === 'CANCELLING');
    this.#require(cancelled);
    const cleaning = cancelled.filter(({ laneId }) => this.#isRunHere(laneId));
    const parents = [...open.filter(({ state }) => state === 'WAITING'), ...cleaning];
    if (parents.length === 0) return;
    for (const { parentJobId, jobId } of await this.#store.readWaitingChildren(parents, MAX_VISITED + 1))
      walk.add({ kind: 'JOB', jobId: parentJobId }, [{ kind: 'JOB', jobId }]);
  }

  /**
   * Whether the control plane runs it, so that it still waits while CANCELLING: workers' jobs have been stopped and
   * wait for nothing.
   */
  #isRunHere(laneId: number): boolean {
    const lane = this.#lanes.get(laneId);
    return lane?.definitionBody.workflow !== undefined || lane?.definition === BATCH_DEFINITION;
  }

  async #walkSteps(walk: WaitWalk, steps: readonly StepNode[]): Promise<void> {
    const workflows = await this.#store.readTargets(this.#namespace, [...new Set(steps.map(({ jobId }) => jobId))]);
    this.#require(workflows);
    const byId = new Map(workflows.map((job) => [job.jobId, job]));
    const known = await this.#store.readSteps(steps.filter(({ step }) => compensatedStep(step) === undefined));
    const states = new Map(known.map((one) => [`${one.jobId}/${one.step}`, one.state]));
    // A walk reaches compensations only while they run.
    const stateOf = ({ jobId, step }: StepNode) =>
      compensatedStep(step) === undefined ? (states.get(`${jobId}/${step}`) ?? 'WAITING') : 'RUNNING';
    await this.#walkRunning(
      walk,
      steps.filter((node) => stateOf(node) === 'RUNNING'),
    );
    await this.#walkWaiting(
      walk,
      steps.filter((node) => stateOf(node) === 'WAITING'),
      byId,
    );
  }

  async #walkRunning(walk: WaitWalk, running: readonly StepNode[]): Promise<void> {
    if (running.length === 0) return;
    const nodes = new Map(running.map((node) => [keyOfNode(node), node]));
    for (const { parentJobId, step, jobId } of await this.#store.readWaitingChildren(running, MAX_VISITED + 1))
      walk.add(nodes.get(`${parentJobId}/${step}`) as StepNode, [{ kind: 'JOB', jobId }]);
  }

  async #walkWaiting(
    walk: WaitWalk,
    waiting: readonly StepNode[],
    workflows: ReadonlyMap<string, TargetJob>,
  ): Promise<void> {
    const started = waiting.filter(({ jobId }) => isStarted(workflows.get(jobId)));
    const ids = [...new Set(started.map(({ jobId }) => jobId))];
    const stages = new Map((ids.length > 0 ? await this.#store.readStages(ids) : []).map((one) => [one.jobId, one]));
    const behind: StepNode[] = [];
    for (const node of waiting) {
      const { jobId, step } = node;
      const graph = this.#graphOf(workflows.get(jobId));
      if (!graph) continue;
      const isNew = !isStarted(workflows.get(jobId));
      const wait = waitOf(graph, this.#stageOf(graph, jobId, stages.get(jobId)), step);
      if (isNew || wait.kind === 'END') walk.add(node, [{ kind: 'JOB', jobId }]);
      else
        walk.add(
          node,
          wait.needs.map((need) => stepNode(graph, jobId, need)),
        );
      if (!isNew && wait.kind === 'STEPS' && wait.phases && this.#isFirst(graph, node)) behind.push(node);
    }
    await this.#walkPhases(walk, behind, workflows);
  }

  /** A workflow with a goal is in the goal's phase, or is about to enter it. */
  #stageOf(graph: Graph, jobId: string, stage: Stage = newRun): Stage {
    const goal = this.#goals.get(jobId)?.[0];
    return goal ? { stopReason: stage.stopReason, phase: phaseOf(graph, goal.step) } : stage;
  }

  /** Later steps of the same phase wait for the same nodes, so only the first adds them. */
  #isFirst(graph: Graph, { jobId, step }: StepNode): boolean {
    const key = `${jobId}/${phaseOf(graph, step)}`;
    const isFirst = !this.#phases.has(key);
    this.#phases.add(key);
    return isFirst;
  }

  /**
   * Steps of a later phase wait for all steps of the phases before it. Only the running ones lead further, and the
   * goals, since one of them may be about to start: steps that have not started wait for no more than these.
   */
  async #walkPhases(
    walk: WaitWalk,
    behind: readonly StepNode[],
    workflows: ReadonlyMap<string, TargetJob>,
  ): Promise<void> {
    if (behind.length === 0) return;
    const keys = [...new Set(behind.map(({ jobId }) => jobId))].map((jobId) => ({ jobId }));
    const children = await this.#store.readWaitingChildren(keys, MAX_VISITED + 1);
    const byParent = Map.groupBy(children, ({ parentJobId }) => parentJobId);
    for (const node of behind) {
      const { jobId } = node;
      const graph = this.#graphOf(workflows.get(jobId));
      if (!graph) continue;
      const open = [...(this.#goals.get(jobId) ?? []), ...(byParent.get(jobId) ?? [])];
      const numbers = [...new Set(open.map(({ step }) => step))];
      walk.add(
        node,
        numbers.map((number) => stepNode(graph, jobId, number)),
      );
    }
    if (children.length > MAX_VISITED) walk.giveUp();
  }

  /** Undefined: the parent has no steps, such as a batch. */
  #stepOf(ancestor: Ancestor): StepNode | undefined {
    const graph = this.#graphOf(ancestor);
    return graph && stepNode(graph, ancestor.jobId, ancestor.step);
  }

  /** Undefined: the job is not a workflow, or is missing. */
  #graphOf(job: { readonly laneId: number } | undefined): Graph | undefined {
    const definition = job && this.#lanes.get(job.laneId)?.definitionBody;
    return definition?.workflow && bodyOf(definition).graph;
  }

  #require(jobs: readonly { readonly laneId: number }[]): void {
    requireLanes(
      this.#lanes,
      jobs.map(({ laneId }) => laneId),
    );
  }
}

/** The node of a step, or of a step's compensation, which has the step's name. */
function stepNode(graph: Graph, jobId: string, number: number): StepNode {
  return { kind: 'STEP', jobId, step: number, name: graph.step(compensatedStep(number) ?? number).name };
}

function isStarted(workflow: TargetJob | undefined): boolean {
  return workflow?.state === 'WAITING' || workflow?.state === 'CANCELLING';
}
