/** Calls of the client about roll-outs, on a real control plane. */
import { Code, RolloutState } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Deployment } from './deployment.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.start();
});

afterAll(() => deployment?.stop());

const refused = (code: number, reason: string) => expect.objectContaining({ code, reason });
const steps = [{ percent: 5, holdMs: 600_000 }, { percent: 100 }];

it('a roll-out is begun with a version, read, changed and promoted', async () => {
  const { client } = deployment;
  const first = client.applyDefinition({ name: 'mail' }, { rollout: { steps } });
  await expect(first).rejects.toEqual(refused(Code.INVALID_ARGUMENT, 'INVALID_FIELD'));
  await client.applyDefinition({ name: 'mail' });
  await expect(client.getRollout('mail')).rejects.toEqual(refused(Code.NOT_FOUND, 'ROLLOUT_NOT_FOUND'));
  const next = { name: 'mail', priority: 1 };
  const rollout = { steps, labels: { tier: 'internal' }, minJobCount: 50, maxFailureIncrease: 0 };
  expect(await client.checkDefinition(next, { rollout })).toMatchObject({ created: true });
  await expect(client.getRollout('mail')).rejects.toEqual(refused(Code.NOT_FOUND, 'ROLLOUT_NOT_FOUND'));

  expect(await client.applyDefinition(next, { rollout })).toMatchObject({ version: 2 });
  const begun = await client.getRollout('mail');
  expect(begun).toMatchObject({
    definition: 'mail',
    version: 2,
    baseVersion: 1,
    state: RolloutState.OPEN,
    settings: {
      steps: [{ percent: 5, hold: { seconds: 600n } }, { percent: 100 }],
      labels: { tier: 'internal' },
      minJobCount: 50,
      maxFailureIncrease: 0,
    },
  });
  expect((await client.checkDefinition(next)).created).toBe(false);
  // The message of the contract is taken, too.
  expect(begun.settings && (await client.updateRollout('mail', begun.settings)).settings).toEqual(begun.settings);
  const changed = await client.updateRollout('mail', { steps: [{ percent: 50 }] }, { version: 2 });
  expect(changed.settings).toMatchObject({ steps: [{ percent: 50 }], labels: {}, minJobCount: 20 });
  const promoted = await client.promoteRollout('mail');
  expect(promoted).toMatchObject({ state: RolloutState.PROMOTED, reason: 'by hand' });
  const late = client.updateRollout('mail', { steps });
  await expect(late).rejects.toEqual(refused(Code.FAILED_PRECONDITION, 'ROLLOUT_ENDED'));
});

it('a roll-out is rolled back, and the roll-outs are listed', async () => {
  const { client } = deployment;
  await client.applyDefinition({ name: 'letter' });
  await client.applyDefinition({ name: 'letter', priority: 1 }, { rollout: { steps } });
  await client.applyDefinition({ name: 'letter', priority: 2 }, { rollout: { steps } });
  const back = await client.rollBackRollout('letter', 'too slow', { version: 3 });
  expect(back).toMatchObject({ version: 3, baseVersion: 1, state: RolloutState.ROLLED_BACK, reason: 'too slow' });
  expect(await client.getRollout('letter', { version: 2 })).toMatchObject({ state: RolloutState.SUPERSEDED });
  const { rollouts, nextPageToken } = await client.listRollouts({ pageSize: 2 });
  expect(rollouts.map(({ definition, version }) => `${definition}@${version}`)).toEqual(['letter@3', 'letter@2']);
  const rest = await client.listRollouts({ pageToken: nextPageToken });
  expect(rest.rollouts.at(-1)).toMatchObject({ definition: 'mail', version: 2 });
});
