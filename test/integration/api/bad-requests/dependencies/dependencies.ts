/** Wrong requests about dependencies. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { DependencyCondition, type DependencySchema } from '@muster-jobs/sdk/gen/muster/v1/dependency_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { Code } from '../../../../../server/api/base/code.ts';
import { add, define, job, type Seed, submitJob } from '../base/builder.ts';

const { addDependencies } = JobService.method;

type Init = MessageInitShape<typeof DependencySchema>;

const NOT_THERE = '0198c0de-0000-7000-8000-00000000ffff';
const onJob = (value: string): Init => ({ on: { case: 'jobId', value } });
const onAsset = (name: string): Init => ({ on: { case: 'asset', value: { name } } });
const onStep = (workflowJobId: string, step: string): Init => ({
  on: { case: 'step', value: { workflowJobId, step } },
});

const wrong: readonly (readonly [what: string, dependency: Init, field: string])[] = [
  ['that is on nothing', {}, ''],
  ['on a job "x"', onJob('x'), '.job_id'],
  ['on an empty job id', onJob(''), '.job_id'],
  ['on a step of "x"', onStep('x', 'one'), '.step.workflow_job_id'],
  ['on a step without a name', onStep(NOT_THERE, ''), '.step.step'],
  ['on an asset "A b"', onAsset('A b'), '.asset.name'],
  ['with an unknown condition', { ...onJob(NOT_THERE), condition: 99 as DependencyCondition }, '.condition'],
  ['on an asset that is to end', { ...onAsset('a'), condition: DependencyCondition.ENDED }, '.condition'],
];
for (const [what, dependency, field] of wrong) {
  job('', `a dependency ${what}`, { dependsOn: [dependency] }, `job.depends_on[0]${field}`);
  const more = ({ jobId }: Seed) => ({ jobId, dependsOn: [dependency] });
  add('', `AddDependencies: one ${what}`, addDependencies, more, [`depends_on[0]${field}`]);
}
const many = Array.from({ length: 101 }, () => onJob(NOT_THERE));
job('', '101 dependencies', { dependsOn: many }, 'job.depends_on');
const notFound = [Code.NOT_FOUND, 'JOB_NOT_FOUND'] as const;
for (const [what, dependency] of [
  ['a job', onJob(NOT_THERE)],
  ['a step', onStep(NOT_THERE, 'one')],
] as const) {
  const submission = ({ definition }: Seed) => ({ job: { definition, dependsOn: [dependency] } });
  add('', `SubmitJob: a dependency on ${what} that does not exist`, submitJob, submission, [], notFound);
}

// --- AddDependencies
add('', 'AddDependencies: none', addDependencies, ({ jobId }) => ({ jobId }), ['depends_on']);
add('', 'AddDependencies: 101', addDependencies, ({ jobId }) => ({ jobId, dependsOn: many }), ['depends_on']);
for (const id of ['', 'x'])
  add('', `AddDependencies: job "${id}"`, addDependencies, () => ({ jobId: id, dependsOn: [onAsset('a')] }), [
    'job_id',
  ]);
const missing = () => ({ jobId: NOT_THERE, dependsOn: [onAsset('a')] });
add('', 'AddDependencies: an unknown job', addDependencies, missing, [], notFound);
const badRequestId = ({ jobId }: Seed) => ({ jobId, dependsOn: [onAsset('a')], requestId: 'x' });
add('', 'AddDependencies: request id x', addDependencies, badRequestId, ['request_id']);

// --- assets of a definition
define('', '21 assets', { publishes: Array.from({ length: 21 }, (_, i) => `asset-${i}`) }, 'definition.publishes');
define('', 'an asset "A b"', { publishes: ['A b'] }, 'definition.publishes[0]');
define('', 'an asset twice', { publishes: ['a', 'a'] }, 'definition.publishes[1]');

// --- children of a handler
const good = { jobId: NOT_THERE, attempt: 1, sessionId: NOT_THERE };
for (const [what, change, field] of [
  ['job "x"', { jobId: 'x' }, 'parent.job_id'],
  ['attempt 0', { attempt: 0 }, 'parent.attempt'],
  ['no session', { sessionId: '' }, 'parent.session_id'],
] as const) {
  const submission = ({ definition }: Seed) => ({ job: { definition }, parent: { ...good, ...change } });
  add('', `SubmitJob: a parent with ${what}`, submitJob, submission, [field]);
}
const both = ({ definition }: Seed) => ({ job: { definition }, parent: good, batchJobId: NOT_THERE });
add('', 'SubmitJob: a parent and a batch', submitJob, both, ['parent']);
const closed = [Code.FAILED_PRECONDITION, 'PARENT_ATTEMPT_CLOSED'] as const;
const orphan = ({ definition }: Seed) => ({ job: { definition }, parent: good });
add('', 'SubmitJob: an unknown parent', submitJob, orphan, [], closed);
