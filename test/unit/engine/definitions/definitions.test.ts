/** The cache of definitions: what is prepared for a version is kept, and how much is bounded. */
import { expect, it } from 'vitest';
import type { JobDefinition } from '../../../../server/domain/definitions/definition.ts';
import { Definitions, type StoredDefinitions } from '../../../../server/engine/definitions/definitions.ts';
import { VirtualTime } from '../base/virtual-time.ts';

function cacheOf(characters: number) {
  const reads: string[] = [];
  const store = {
    async readDefinition(namespace: string, name: string, version: number) {
      reads.push(name);
      const workflow = { output: 'x'.repeat(characters), steps: [] };
      return { namespace, name, version: version || 1, workflow } as unknown as JobDefinition;
    },
  };
  const time = new VirtualTime();
  return { reads, time, definitions: new Definitions(store as unknown as StoredDefinitions, time, () => 0) };
}

it('a version that is read again stays as it was prepared', async () => {
  const { reads, time, definitions } = cacheOf(10);
  const first = await definitions.get('default', 'flow', 0);
  await time.advance(2_000);
  const again = await definitions.get('default', 'flow', 0);
  expect([reads.length, again.workflow === first.workflow]).toEqual([2, true]);
  expect((await definitions.get('default', 'flow', 1)).workflow).toBe(first.workflow);
});

it('large workflows are kept up to a bound in bytes, with what is prepared for them', async () => {
  const { reads, definitions } = cacheOf(2 << 20);
  const names = Array.from({ length: 12 }, (_, n) => `flow-${n}`);
  for (const name of names) await definitions.get('default', name, 1);
  for (const name of names) await definitions.get('default', name, 1);
  expect(reads).toHaveLength(12);
  for (let n = 12; n < 20; n++) await definitions.get('default', `flow-${n}`, 1);
  await definitions.get('default', 'flow-0', 1);
  expect(reads.slice(-1)).toEqual(['flow-0']);
});
