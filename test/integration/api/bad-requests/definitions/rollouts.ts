/** Wrong requests about roll-outs. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import type { RolloutSettingsSchema } from '@muster-jobs/sdk/gen/muster/v1/rollout_pb';
import { RolloutService } from '@muster-jobs/sdk/gen/muster/v1/rollout_service_pb';
import { Code } from '../../../../../server/api/base/code.ts';
import { add } from '../base/builder.ts';

const { getRollout, listRollouts, updateRollout, promoteRollout, rollBackRollout } = RolloutService.method;
const notFound = [Code.NOT_FOUND, 'ROLLOUT_NOT_FOUND'] as const;

type Settings = MessageInitShape<typeof RolloutSettingsSchema>;

const nineLabels = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`l${i}`, 'x']));
const good = { steps: [{ percent: 10, hold: { seconds: 60n } }, { percent: 100 }] } satisfies Settings;
const body = { case: 'task', value: {} } as const;

/** Once with a version, and once for an open roll-out. */
function settings(row: string, what: string, change: Settings, ...fields: string[]): void {
  const wrong = { ...good, ...change };
  const below = (of: string) => fields.map((field) => `${of}.${field}`);
  const apply = () => ({ definition: { name: 'new', body }, rollout: wrong });
  add(
    row,
    `ApplyJobDefinition: a roll-out with ${what}`,
    JobDefinitionService.method.applyJobDefinition,
    apply,
    below('rollout'),
  );
  const update = ({ definition }: { readonly definition: string }) => ({ definition, settings: wrong });
  add(row, `UpdateRollout: ${what}`, updateRollout, update, below('settings'));
}

settings('', 'no steps', { steps: [] }, 'steps');
const rising = Array.from({ length: 21 }, (_, percent) => ({ percent }));
settings('', '21 steps', { steps: rising }, 'steps');
for (const percent of [-1, 101, 2_147_483_647])
  settings('', `${percent} percent`, { steps: [{ percent }] }, 'steps[0].percent');
settings('', 'percentages that fall', { steps: [{ percent: 50 }, { percent: 10 }] }, 'steps[1].percent');
settings('', 'equal percentages', { steps: [{ percent: 50 }, { percent: 50 }] }, 'steps[1].percent');
for (const seconds of [0n, -5n, 2_592_001n])
  settings('', `a hold of ${seconds} s`, { steps: [{ percent: 1, hold: { seconds } }] }, 'steps[0].hold');
settings('', 'nine labels', { labels: nineLabels }, 'labels');
settings('', 'a reserved label', { labels: { 'muster/x': 'y' } }, 'labels');
for (const minJobCount of [-1, 1_001]) settings('', `min_job_count ${minJobCount}`, { minJobCount }, 'min_job_count');
for (const maxFailureIncrease of [-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY])
  settings('', `max_failure_increase ${maxFailureIncrease}`, { maxFailureIncrease }, 'max_failure_increase');

add('', 'UpdateRollout: no settings', updateRollout, ({ definition }) => ({ definition }), ['settings']);
/** Whatever the method, the request has these fields. */
const asUpdate = (method: unknown) => method as typeof updateRollout;
const methods = [
  ['GetRollout', asUpdate(getRollout), {}],
  ['UpdateRollout', updateRollout, { settings: good }],
  ['PromoteRollout', asUpdate(promoteRollout), {}],
  ['RollBackRollout', asUpdate(rollBackRollout), {}],
] as const;
for (const [name, method, extra] of methods) {
  add('', `${name}: no name`, method, () => extra, ['definition']);
  add('', `${name}: a wrong namespace`, method, () => ({ ...extra, namespace: 'A', definition: 'd' }), ['namespace']);
  add('', `${name}: a negative version`, method, () => ({ ...extra, definition: 'd', version: -1 }), ['version']);
  const missing = () => ({ ...extra, definition: 'nothing' });
  add('', `${name}: a definition that does not exist`, method, missing, [], notFound);
}
for (const [name, method, extra] of methods.slice(1)) {
  const wrong = () => ({ ...extra, definition: 'd', requestId: 'x' });
  add('', `${name}: a request id that is no UUID`, method, wrong, ['request_id']);
}
const long = () => ({ definition: 'd', reason: 'x'.repeat(257) });
add('', 'RollBackRollout: a long reason', rollBackRollout, long, ['reason']);
add('', 'ListRollouts: a negative page size', listRollouts, () => ({ pageSize: -1 }), ['page_size']);
add('', 'ListRollouts: a token that is none', listRollouts, () => ({ pageToken: 'x' }), ['page_token']);
