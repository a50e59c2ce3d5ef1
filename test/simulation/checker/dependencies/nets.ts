/**
 * Jobs with dependencies: none starts before all conditions are met, none is left behind, and one is skipped only if a
 * condition can not be met.
 */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import type { ResolvedDependency } from '../../nodes/sim-net.ts';
import type { Evidence, Ordered } from '../base/events.ts';
import { lateness } from '../base/promptness.ts';
import { TransactionChecks } from '../workflows/flow-transactions.ts';
import { ASSET, type Edge, JOB, NetEdges, STEP } from './net-edges.ts';

const { BLOCKED, SCHEDULED, READY, ASSIGNED, SKIPPED } = stateCodes;
const started: readonly (number | null)[] = [SCHEDULED, READY, ASSIGNED];
const deciding: readonly string[] = ['end', 'step', 'edge', 'asset', 'move', 'create'];
const kindCodes = { JOB, STEP, ASSET } as const;

export class NetChecks extends TransactionChecks {
  readonly #edges: NetEdges;
  /** BLOCKED jobs, with the time at which their dependencies were settled. */
  readonly #blocked = new Map<string, number | undefined>();
  readonly #ends = new Map<string, Ordered>();
  #version = 0;

  constructor(evidence: Evidence) {
    super(evidence);
    this.#edges = new NetEdges(evidence);
  }

  protected override settle(rows: readonly Ordered[]): void {
    if (!rows.some(({ kind }) => deciding.includes(kind) || kind === 'record' || kind === 'workflow')) return;
    for (const row of rows) this.#edges.take(row);
    for (const row of rows) this.#row(row);
    const last = rows.at(-1) as Ordered;
    for (const [job, settledUs] of this.#blocked)
      if (settledUs === undefined && this.#isSettled(job)) this.#blocked.set(job, last.at);
  }

  protected override over(): void {
    for (const { facts, order } of this.evidence.seen.get('depends') ?? []) {
      const resolvedEdges: ResolvedDependency[] = JSON.parse(String(facts.on));
      for (const one of resolvedEdges) this.#judgeResolved(String(facts.job), one, order);
      this.evidence.history.count(`net: ${facts.how}`);
    }
    for (const [job, end] of this.#ends) if (end.to === SKIPPED) this.#judgeSkipped(job, end);
    const { publications } = this.#edges;
    if (publications !== this.#version)
      this.#violate('nets: assets', `published ${publications} times, and its version is ${this.#version}`);
  }

  #row(row: Ordered): void {
    if (row.kind === 'asset') this.#version = row.counted ?? 0;
    if (row.kind === 'edge' && this.#edges.isInCircle(row.id))
      this.#violate('nets: circles', `job ${row.id} waits for itself (journal ${row.n})`);
    if (row.kind === 'end') this.#ends.set(row.id, row);
    if (row.kind !== 'move' && row.kind !== 'create' && row.kind !== 'end') return;
    this.#leave(row);
    if (row.kind !== 'end' && row.to === BLOCKED) this.#blocked.set(row.id, undefined);
    if (row.kind !== 'end' && started.includes(row.to)) this.#judgeStart(row);
  }

  /** It was BLOCKED, and no longer is. */
  #leave(row: Ordered): void {
    const settledUs = this.#blocked.get(row.id);
    if (!this.#blocked.delete(row.id) || settledUs === undefined) return;
    this.evidence.history.count('net: a job was let go', Number(row.kind === 'move'));
    const late = lateness(this.evidence.profile, row, settledUs);
    if (late > 0)
      this.#violate('nets: starts', `job ${row.id} was BLOCKED for ${late / 1000} ms too long (journal ${row.n})`);
  }

  #judgeStart(row: Ordered): void {
    const edge = this.#edges.of(row.id).find((one) => this.#edges.standing(one) !== 'MET');
    if (edge)
      this.#violate('nets: starts', `job ${row.id} is ${row.to}, and waits for ${nameOf(edge)} (journal ${row.n})`);
  }

  #isSettled(job: string): boolean {
    const standings = this.#edges.of(job).map((edge) => this.#edges.standing(edge));
    return standings.includes('UNMET') || !standings.includes('OPEN');
  }

  #resolvedOf(job: string): ResolvedDependency[] {
    const resolvedEdges = this.evidence.seen.get('depends')?.filter(({ facts }) => facts.job === job) ?? [];
    return resolvedEdges.flatMap(({ facts }) => JSON.parse(String(facts.on)) as ResolvedDependency[]);
  }

  /** An accepted dependency is stored, or was already met. */
  #judgeResolved(job: string, resolvedEdges: ResolvedDependency, order: number): void {
    const edge = this.#edgeOf(resolvedEdges);
    const isSame = (one: Edge) =>
      one.kind === edge.kind &&
      (one.kind === ASSET || nameOf(one) === nameOf(edge)) &&
      one.condition === edge.condition;
    if (this.#edges.of(job).some(isSame)) return;
    if (this.#ends.get(job)?.to === SKIPPED) return;
    const standing = this.#edges.standing(edge, order);
    if (standing === 'MET') this.evidence.history.count('net: what it depends on had come about');
    else this.#violate('nets: no loss', `job ${job} was to wait for ${nameOf(edge)}, and does not`);
  }

  #judgeSkipped(job: string, end: Ordered): void {
    const edges = [
      ...this.#edges.of(job),
      ...this.#resolvedOf(job).map((resolvedEdges) => this.#edgeOf(resolvedEdges)),
    ];
    this.evidence.history.count('net: a job was skipped');
    if (!edges.some((edge) => this.#edges.standing(edge, end.order) === 'UNMET'))
      this.#violate('nets: skips', `job ${job} was skipped (${end.text}), and all may come about (journal ${end.n})`);
  }

  #edgeOf({ kind, target, step, condition }: ResolvedDependency): Edge {
    const plan = this.evidence.plans.flows.get(this.evidence.facts.get(target)?.definition ?? '');
    const number = plan?.steps.findIndex(({ name }) => name === step) ?? 0;
    // For an asset only the default condition is stored.
    const asked = kind === 'ASSET' ? 1 : condition;
    const afterUs = Number.POSITIVE_INFINITY;
    return { kind: kindCodes[kind] as number, target, step: Math.max(0, number), condition: asked, afterUs };
  }

  #violate(invariant: string, what: string): void {
    this.evidence.history.violate(invariant, what);
  }
}

function nameOf({ kind, target, step }: Edge): string {
  return kind === JOB ? `job ${target}` : kind === STEP ? `step ${step} of ${target}` : 'an asset';
}
