/** Options for the dependencies of a job. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { DependencyCondition, DependencySchema } from '@muster-jobs/sdk/grpc';
import { InvalidArgumentError } from 'commander';

export interface DependencyOptions {
  readonly after?: readonly DependencyInit[];
  readonly afterStep?: readonly DependencyInit[];
  readonly afterAsset?: readonly DependencyInit[];
}

type DependencyInit = MessageInitShape<typeof DependencySchema>;

const CONDITIONS: Readonly<Record<string, DependencyCondition>> = {
  succeeded: DependencyCondition.SUCCEEDED,
  ended: DependencyCondition.ENDED,
  failed: DependencyCondition.FAILED,
};

function conditionOf(word: string | undefined): DependencyCondition {
  if (word === undefined) return DependencyCondition.UNSPECIFIED;
  const condition = Object.hasOwn(CONDITIONS, word) ? CONDITIONS[word] : undefined;
  if (condition !== undefined) return condition;
  throw new InvalidArgumentError(`Behind the colon it takes one of ${Object.keys(CONDITIONS).join(', ')}.`);
}

/** `JOB` or `JOB:CONDITION`; an option that may be repeated. */
export function afterJob(text: string, before: readonly DependencyInit[] = []): DependencyInit[] {
  const [jobId = '', word, ...rest] = text.split(':');
  if (jobId === '' || rest.length > 0) throw new InvalidArgumentError('It takes JOB or JOB:CONDITION.');
  return [...before, { on: { case: 'jobId', value: jobId }, condition: conditionOf(word) }];
}

/** `WORKFLOW/STEP` or `WORKFLOW/STEP:CONDITION`. */
export function afterStep(text: string, before: readonly DependencyInit[] = []): DependencyInit[] {
  const [place = '', word, ...rest] = text.split(':');
  const [workflowJobId = '', step = '', ...more] = place.split('/');
  if (workflowJobId === '' || step === '' || rest.length + more.length > 0)
    throw new InvalidArgumentError('It takes WORKFLOW/STEP or WORKFLOW/STEP:CONDITION.');
  return [...before, { on: { case: 'step', value: { workflowJobId, step } }, condition: conditionOf(word) }];
}

export function afterAsset(name: string, before: readonly DependencyInit[] = []): DependencyInit[] {
  return [...before, { on: { case: 'asset', value: { name } } }];
}

export function dependenciesOf({ after = [], afterStep: steps = [], afterAsset: assets = [] }: DependencyOptions) {
  return [...after, ...steps, ...assets].map((init) => create(DependencySchema, init));
}
