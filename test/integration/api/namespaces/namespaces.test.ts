/** Settings of a whole namespace, and definitions that override them. */

import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { NamespaceService } from '@muster-jobs/sdk/gen/muster/v1/namespace_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { World } from '../base/world.ts';

const { getNamespace, updateNamespace } = NamespaceService.method;
const DAY = 86_400n;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

const duration = (seconds: bigint) => ({ seconds, nanos: 0 });

async function retentionOf(namespace: string): Promise<bigint | undefined> {
  return (await world.rpc.call(getNamespace, { namespace })).namespace?.retention?.seconds;
}

describe('the retention of a namespace', () => {
  it('is 7 days until it is changed, and again after it is unset', async () => {
    expect(await world.rpc.call(getNamespace, {})).toMatchObject({ namespace: { name: 'default' } });
    expect(await retentionOf('')).toBe(7n * DAY);
    const { namespace } = await world.rpc.call(updateNamespace, {
      namespace: { name: 'short', retention: duration(DAY) },
    });
    expect(namespace).toMatchObject({ name: 'short', retention: { seconds: DAY } });
    expect([await retentionOf('short'), await retentionOf('')]).toEqual([DAY, 7n * DAY]);
    await world.rpc.call(updateNamespace, { namespace: { name: 'short' } });
    expect(await retentionOf('short')).toBe(DAY);
    await world.rpc.call(updateNamespace, { namespace: { name: 'short' }, updateMask: { paths: ['retention'] } });
    expect(await retentionOf('short')).toBe(7n * DAY);
  });

  it('applies to definitions without their own', async () => {
    const definitionOf = async (name: string) =>
      (await world.rpc.call(JobDefinitionService.method.getJobDefinition, { name })).definition;
    expect((await definitionOf(await world.define()))?.retention).toBeUndefined();
    const kept = await world.define({ retention: duration(7n * DAY) });
    expect((await definitionOf(kept))?.retention).toMatchObject({ seconds: 7n * DAY });
  });

  it.each([
    ['an invalid name', { namespace: { name: 'Not a name' } }, 'namespace.name'],
    ['no namespace', {}, 'namespace'],
    ['a negative time', { namespace: { retention: duration(-1n) } }, 'namespace.retention'],
    ['more than 10 years', { namespace: { retention: duration(400_000_000n) } }, 'namespace.retention'],
    ['an unknown field', { namespace: {}, updateMask: { paths: ['retention', 'colour'] } }, 'update_mask'],
    ['all fields', { namespace: {}, updateMask: { paths: ['*'] } }, 'update_mask'],
    ['a field that is fixed', { namespace: {}, updateMask: { paths: ['name'] } }, 'update_mask'],
    ['an empty mask', { namespace: {}, updateMask: { paths: [] } }, 'update_mask'],
    ['an invalid request id', { namespace: {}, requestId: 'x' }, 'request_id'],
  ])('is not changed by %s', async (_what, request, field) => {
    const refusal = await world.rpc.refused(updateNamespace, request);
    expect(refusal.code).toBe(Code.INVALID_ARGUMENT);
    expect(refusal.fields).toEqual([field]);
    expect(await retentionOf('')).toBe(7n * DAY);
  });
});
