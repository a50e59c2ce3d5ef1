/** Steps with the result of an earlier job: a matching one that has succeeded within the step's maximum age. */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import type { Child, FlowLife } from './flow-life.ts';

export interface Taken {
  readonly life: FlowLife;
  readonly step: number;
  readonly takenUs: number;
}

/** An end is recorded a little after its own time, within its transaction. */
const SLACK_US = 1_000;

/** The error as the end of a sentence; undefined: none. */
export function takenFault(
  { life, step, takenUs }: Taken,
  found: { readonly life: FlowLife; readonly child: Child } | undefined,
): string | undefined {
  const { cache, definition } = life.step(step);
  if (!cache) return 'and may take none';
  if (!found) return 'which is of no step';
  const { end } = found.child;
  const source = found.life.step(found.child.step);
  if (source.definition !== definition) return `made from ${source.definition} and not from ${definition}`;
  if (source.cache?.key !== cache.key) return `kept under ${source.cache?.key} and not under ${cache.key}`;
  if (end?.to !== stateCodes.SUCCEEDED) return 'which has not succeeded';
  const ageUs = takenUs - end.at;
  return ageUs > cache.maxAgeMs * 1_000 + SLACK_US ? `which was over ${ageUs} us before` : undefined;
}
