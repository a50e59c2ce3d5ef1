/**
 * The dependencies of jobs in the journal: the state of each edge, by a table of its own, and the search for cycles.
 */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { stepStates } from '../../../../server/domain/workflows/step-state.ts';
import type { PlannedFlow } from '../../scenario/flows.ts';
import { conditions } from '../../scenario/nets.ts';
import type { Evidence, Ordered } from '../base/events.ts';

/** Codes of the journal. */
export const [JOB, STEP, ASSET] = [1, 2, 3];

export interface Edge {
  readonly kind: number;
  /** Id of the job, or of the workflow. */
  readonly target: string;
  readonly step: number;
  readonly condition: number;
  /** Of a publication. */
  readonly afterUs: number;
}

export type Standing = 'OPEN' | 'MET' | 'UNMET';

type Ending = 'SUCCEEDED' | 'FAILED' | 'SKIPPED';

const ofJob: Readonly<Record<number, Ending>> = {
  [stateCodes.SUCCEEDED]: 'SUCCEEDED',
  [stateCodes.FAILED]: 'FAILED',
  [stateCodes.CANCELLED]: 'FAILED',
  [stateCodes.EXPIRED]: 'FAILED',
  [stateCodes.SKIPPED]: 'SKIPPED',
};
const ofStep: Readonly<Record<number, Ending>> = {
  [stepStates.SUCCEEDED]: 'SUCCEEDED',
  [stepStates.FAILED]: 'FAILED',
  [stepStates.UPSTREAM_FAILED]: 'FAILED',
  [stepStates.SKIPPED]: 'SKIPPED',
};

interface Happened {
  readonly ending: Ending;
  readonly order: number;
}

export class NetEdges {
  readonly #evidence: Evidence;
  /** By job. */
  readonly #edges = new Map<string, Edge[]>();
  readonly #jobs = new Map<string, Happened>();
  /** By workflow and number. */
  readonly #steps = new Map<string, Happened>();
  /** Workflows that have started. */
  readonly #begun = new Set<string>();
  /** Open jobs of a step. */
  readonly #children = new Map<string, Set<string>>();
  #published = { us: Number.NEGATIVE_INFINITY, count: 0 };

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  get publications(): number {
    return this.#published.count;
  }

  of(job: string): readonly Edge[] {
    return this.#edges.get(job) ?? [];
  }

  take(row: Ordered): void {
    const facts = this.#evidence.facts.get(row.id);
    if (row.kind === 'record' && facts?.parent !== undefined) this.#siblings(row.id).add(row.id);
    else if (row.kind === 'edge') this.#edges.set(row.id, [...this.of(row.id), edgeOf(row)]);
    else if (row.kind === 'workflow') this.#begun.add(row.id);
    else if (row.kind === 'step') this.#stepped(row);
    else if (row.kind === 'end') this.#ended(row);
  }

  /** The state at this position. */
  standing(edge: Edge, order = Number.POSITIVE_INFINITY): Standing {
    if (edge.kind === ASSET) return this.#published.us > edge.afterUs ? 'MET' : 'OPEN';
    const ended = this.#jobs.get(edge.target);
    const left = ended && { ending: 'SKIPPED' as const, order: ended.order };
    const found = edge.kind === JOB ? ended : (this.#steps.get(`${edge.target}/${edge.step}`) ?? left);
    if (!found || found.order > order) return 'OPEN';
    return edge.condition === conditions.ENDED || found.ending === wanted(edge.condition) ? 'MET' : 'UNMET';
  }

  /** Whether the job waits for itself. */
  isInCircle(job: string): boolean {
    const start = `job:${job}`;
    const seen = new Set<string>();
    const open = [start];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      for (const next of this.#waitsFor(node)) {
        if (next === start) return true;
        if (!seen.has(next)) open.push(next);
        seen.add(next);
      }
    }
    return false;
  }

  #waitsFor(node: string): string[] {
    const [kind, id = ''] = node.split(':');
    const [job = '', step] = id.split('/');
    if (kind === 'step') return this.#jobs.has(job) || this.#steps.has(id) ? [] : this.#beforeStep(job, Number(step));
    if (kind === 'start') return this.#begun.has(job) ? [] : this.#edgesOf(job);
    if (this.#jobs.has(job)) return [];
    const steps = this.#plan(job)?.steps ?? [];
    return [...this.#edgesOf(job), ...steps.map((_, i) => `step:${job}/${i}`)];
  }

  #edgesOf(job: string): string[] {
    return this.of(job).flatMap((edge) => {
      if (edge.kind === ASSET || this.standing(edge) !== 'OPEN') return [];
      return edge.kind === JOB ? `job:${edge.target}` : `step:${edge.target}/${edge.step}`;
    });
  }

  /** The steps that it needs, under any rule, unless the rule needs none; its jobs; and the start of its workflow. */
  #beforeStep(workflow: string, number: number): string[] {
    const steps = this.#plan(workflow)?.steps ?? [];
    const step = steps[number];
    const needs = step && step.rule !== 'ALWAYS' ? step.needs : [];
    const before = needs.map((need) => `step:${workflow}/${steps.findIndex(({ name }) => name === need)}`);
    const jobs = [...(this.#children.get(`${workflow}/${number}`) ?? [])].map((job) => `job:${job}`);
    return [`start:${workflow}`, ...before, ...jobs];
  }

  #plan(job: string): PlannedFlow | undefined {
    return this.#evidence.plans.flows.get(this.#evidence.facts.get(job)?.definition ?? '');
  }

  #siblings(job: string): Set<string> {
    const { parent, step } = this.#evidence.facts.get(job) ?? {};
    const found = this.#children.get(`${parent}/${step}`) ?? new Set();
    this.#children.set(`${parent}/${step}`, found);
    return found;
  }

  #stepped({ id, lane, to, order }: Ordered): void {
    const [step, ending] = [`${id}/${lane}`, ofStep[to ?? 0]];
    // The row of an ended step may be written again, with the same end.
    if (ending && this.#steps.get(step)?.ending !== ending) this.#steps.set(step, { ending, order });
  }

  #ended({ id, to, at, order }: Ordered): void {
    this.#jobs.set(id, { ending: ofJob[to ?? 0] ?? 'SKIPPED', order });
    this.#siblings(id).delete(id);
    const { definition, cleanupOf } = this.#evidence.facts.get(id) ?? {};
    if (definition !== 'publisher' || cleanupOf !== undefined || to !== stateCodes.SUCCEEDED) return;
    this.#published = { us: at, count: this.#published.count + 1 };
  }
}

function wanted(condition: number): Ending {
  return condition === conditions.FAILED ? 'FAILED' : 'SUCCEEDED';
}

function edgeOf({ to, otherId, sessionId, lane, cause, until }: Ordered): Edge {
  const target = (to === STEP ? sessionId : otherId) ?? '';
  return { kind: to ?? 0, target, step: lane ?? 0, condition: cause ?? 0, afterUs: until ?? 0 };
}
