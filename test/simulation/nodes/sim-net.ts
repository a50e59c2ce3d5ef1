/** Users whose jobs depend on others: they add dependencies at the submission and later. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { DependencyCondition, type DependencySchema } from '@muster-jobs/sdk/gen/muster/v1/dependency_pb';
import { AddDependenciesRequestSchema, JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { ASSET } from '../scenario/definitions.ts';
import {
  conditions,
  type Net,
  type PlannedAddition,
  type PlannedDependency,
  type PlannedNode,
} from '../scenario/nets.ts';
import type { LinkSubmit } from './link-submit.ts';
import { type Caller, refusalIn } from './sim-caller.ts';
import { requestId } from './sim-worker.ts';

/** A dependency of a job, in the form that the checks read. */
export interface ResolvedDependency {
  readonly kind: PlannedDependency['kind'];
  /** Id of the job or of the workflow; empty for an asset. */
  readonly target: string;
  readonly step: string;
  readonly condition: DependencyCondition;
}

const REFUSALS = ['JOB_ENDED', 'JOB_NOT_WAITING', 'DEPENDENCY_CYCLE'];

export class SimNet {
  readonly #caller: Caller;
  readonly #submit: LinkSubmit;
  /** Ids of jobs by their submitted names. */
  readonly #known: ReadonlyMap<string, string>;

  constructor(caller: Caller, submit: LinkSubmit, known: ReadonlyMap<string, string>) {
    this.#caller = caller;
    this.#submit = submit;
    this.#known = known;
  }

  begin({ nodes, additions }: Net): void {
    for (const node of nodes) this.#caller.later(node.at, () => this.#make(node));
    for (const addition of additions) this.#caller.later(addition.at, () => this.#add(addition));
  }

  async #make({ name, definition, script, delayMs, expireMs, on, acts }: PlannedNode): Promise<void> {
    const resolved = this.#resolve(on);
    const rest = { delayMs, expireMs, dependencies: resolved.map(wireOf), acts };
    const jobId = await this.#submit({ name, definition, input: script, ...rest });
    if (resolved.length > 0)
      this.#caller.history.log('client', 'depends', { job: jobId, how: 'submitted', on: JSON.stringify(resolved) });
  }

  async #add({ name, on }: PlannedAddition): Promise<void> {
    const { history, random } = this.#caller;
    const jobId = this.#known.get(name);
    const resolved = this.#resolve(on).filter(({ target }) => target !== jobId);
    if (jobId === undefined || resolved.length === 0) return;
    const request = create(AddDependenciesRequestSchema, {
      ...{ jobId, dependsOn: resolved.map(wireOf), requestId: requestId(random) },
    });
    try {
      await this.#caller.insist(JobService.method.addDependencies, request);
      history.log('client', 'depends', { job: jobId, how: 'added', on: JSON.stringify(resolved) });
    } catch (error) {
      history.count(`net: refused, ${refusalIn(error, REFUSALS)}`);
    }
  }

  #resolve(on: readonly PlannedDependency[]): ResolvedDependency[] {
    return on.flatMap((one): ResolvedDependency[] => {
      if (one.kind === 'ASSET')
        return [{ kind: one.kind, target: '', step: '', condition: DependencyCondition.UNSPECIFIED }];
      const target = this.#known.get(one.name);
      const step = one.kind === 'STEP' ? one.step : '';
      return target === undefined ? [] : [{ kind: one.kind, target, step, condition: conditions[one.condition] }];
    });
  }
}

function wireOf({ kind, target, step, condition }: ResolvedDependency): MessageInitShape<typeof DependencySchema> {
  switch (kind) {
    case 'JOB':
      return { on: { case: 'jobId', value: target }, condition };
    case 'STEP':
      return { on: { case: 'step', value: { workflowJobId: target, step } }, condition };
    case 'ASSET':
      return { on: { case: 'asset', value: { name: ASSET } } };
  }
}
