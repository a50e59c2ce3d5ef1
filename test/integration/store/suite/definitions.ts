/** Definitions: numbered versions, made by content. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { definitionDefaults, type JobDefinition } from '../../../../server/domain/definition.ts';
import { type StoreContext, sql } from '../../../support/store-context.ts';

function makeDefinition(name: string, changes: Partial<JobDefinition> = {}): JobDefinition {
  return {
    namespace: 'default',
    name,
    version: 0,
    handler: name,
    leaseLossAction: 'ABORT',
    demands: { labels: { gpu: 'yes' } },
    priority: 3,
    description: 'ä "quoted" \\ text',
    labels: { team: 'a' },
    createTimeUs: 0,
    ...definitionDefaults,
    ...changes,
  };
}

const hashOf = (definition: JobDefinition) => createHash('sha256').update(JSON.stringify(definition)).digest();

export function definitionsSuite(context: StoreContext): void {
  const apply = (definition: JobDefinition, validateOnly = false) =>
    context.store.applyDefinition(definition, hashOf(definition), validateOnly);

  describe('definitions', () => {
    it('reads back what was applied, by version and as the newest', async () => {
      const given = makeDefinition('read-back');
      const { definition, created } = await apply(given);
      expect(created).toBe(true);
      expect(definition).toEqual({ ...given, version: 1, createTimeUs: definition.createTimeUs });
      expect(Math.abs(definition.createTimeUs - (await context.store.nowUs()))).toBeLessThan(60e6);
      expect(await context.store.readDefinition('default', 'read-back', 0)).toEqual(definition);
      expect(await context.store.readDefinition('default', 'read-back', 1)).toEqual(definition);
      expect(await context.store.readDefinition('default', 'read-back', 2)).toBeUndefined();
      expect(await context.store.readDefinition('other', 'read-back', 0)).toBeUndefined();
    });

    it('keeps the version when the newest has the same content', async () => {
      const first = await apply(makeDefinition('same'));
      expect(await apply(makeDefinition('same'))).toEqual({ definition: first.definition, created: false });
    });

    it('makes a new version of content that an older one had', async () => {
      await apply(makeDefinition('back', { description: 'one' }));
      await apply(makeDefinition('back', { description: 'two' }));
      const { definition, created } = await apply(makeDefinition('back', { description: 'one' }));
      expect({ created, version: definition.version, description: definition.description }).toEqual({
        created: true,
        version: 3,
        description: 'one',
      });
      expect((await context.store.readDefinition('default', 'back', 0))?.version).toBe(3);
    });

    it('stores nothing when it only validates, and says which version it would be', async () => {
      await apply(makeDefinition('dry'));
      const dry = await apply(makeDefinition('dry', { priority: 9 }), true);
      expect({ created: dry.created, version: dry.definition.version }).toEqual({ created: true, version: 2 });
      expect((await context.store.readDefinition('default', 'dry', 0))?.version).toBe(1);
    });

    it('numbers concurrent versions without a gap, and makes the same content once', async () => {
      const priorities = [1, 2, 3, 4, 5, 6];
      await Promise.all(priorities.map((priority) => apply(makeDefinition('crowd', { priority }))));
      const rows = await sql(context, `SELECT version FROM job_definitions WHERE name = 'crowd' ORDER BY version`);
      expect(rows.map((row) => row.version)).toEqual(priorities);
      const same = await Promise.all(priorities.map(() => apply(makeDefinition('twins'))));
      expect(same.filter((result) => result.created)).toHaveLength(1);
      expect(new Set(same.map((result) => result.definition.version))).toEqual(new Set([1]));
    });

    it('keeps namespaces apart and notes how long ended jobs are kept', async () => {
      await apply(makeDefinition('kept', { retentionMs: 1_000 }));
      const other = await apply(makeDefinition('kept', { namespace: 'other', retentionMs: 2_000 }));
      expect(other.definition.version).toBe(1);
      await apply(makeDefinition('kept', { retentionMs: 3_000 }));
      const rows = await sql(
        context,
        `SELECT namespace, retention_ms FROM retentions WHERE definition = 'kept' ORDER BY 1`,
      );
      expect(rows).toEqual([
        { namespace: 'default', retention_ms: 3_000 },
        { namespace: 'other', retention_ms: 2_000 },
      ]);
    });
  });
}
