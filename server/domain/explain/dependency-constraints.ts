/** The unmet dependencies of a job, as constraints for operators. */

import { type Dependency, waitText } from '../dependencies/dependencies.ts';
import { type Constraint, noBlockers } from './constraint.ts';

export interface ExplainedDependency {
  readonly dependency: Dependency;
  /** State of the job or the step; undefined for an asset. */
  readonly state: string | undefined;
  readonly sinceUs: number | undefined;
}

/** Maximum dependencies that are named one by one. */
const MAX_NAMED = 10;

export function dependencyConstraints(all: readonly ExplainedDependency[]): Constraint[] {
  const rest = all.length - MAX_NAMED;
  const named = all.slice(0, MAX_NAMED).map(constraintOf);
  const [last] = named.slice(-1);
  if (rest <= 0 || !last) return named;
  return [...named.slice(0, -1), { ...last, message: `${last.message}; and for ${rest} more` }];
}

function constraintOf({ dependency, state, sinceUs }: ExplainedDependency): Constraint {
  const { on } = dependency;
  const message = `it waits for ${waitText(dependency)}${state === undefined ? '' : `, which is ${state}`}`;
  if (on.kind === 'ASSET') {
    const nextStep = `it continues after a successful job of a definition that publishes the asset: muster assets`;
    return { reason: 'DEPENDENCY', message, blockers: noBlockers, nextStep };
  }
  const jobId = on.kind === 'JOB' ? on.jobId : on.workflowJobId;
  const nextStep = `it continues by itself; to see why the other job waits: muster explain ${jobId}`;
  return { reason: 'DEPENDENCY', message, blockers: { list: [{ jobId, sinceUs }], count: 1 }, nextStep };
}
