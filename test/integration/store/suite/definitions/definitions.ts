/** Definitions: numbered versions, one for each change of content. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { JobDefinition } from '../../../../../server/domain/definitions/definition.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { makeDefinition } from '../../../../support/store/store-fixtures.ts';

const hashOf = (definition: JobDefinition) => createHash('sha256').update(JSON.stringify(definition)).digest();

export function definitionsSuite(context: StoreContext): void {
  const apply = (definition: JobDefinition, validateOnly = false) =>
    context.store.applyDefinition(definition, hashOf(definition), validateOnly);

  describe('definitions', () => {
    it('are read back as they were applied, by version and as the newest', async () => {
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

    it('keep the version if the newest has the same content', async () => {
      const first = await apply(makeDefinition('same'));
      expect(await apply(makeDefinition('same'))).toEqual({ definition: first.definition, created: false });
    });

    it('get a new version for content that an older version had', async () => {
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

    it('are not stored by a validation, which returns the version that they would get', async () => {
      await apply(makeDefinition('dry'));
      const dry = await apply(makeDefinition('dry', { priority: 9 }), true);
      expect({ created: dry.created, version: dry.definition.version }).toEqual({ created: true, version: 2 });
      expect((await context.store.readDefinition('default', 'dry', 0))?.version).toBe(1);
    });

    it('number concurrent versions without a gap, and store the same content once', async () => {
      const priorities = [1, 2, 3, 4, 5, 6];
      await Promise.all(priorities.map((priority) => apply(makeDefinition('crowd', { priority }))));
      const rows = await sql(context, `SELECT version FROM job_definitions WHERE name = 'crowd' ORDER BY version`);
      expect(rows.map((row) => row.version)).toEqual(priorities);
      const same = await Promise.all(priorities.map(() => apply(makeDefinition('twins'))));
      expect(same.filter((result) => result.created)).toHaveLength(1);
      expect(new Set(same.map((result) => result.definition.version))).toEqual(new Set([1]));
    });

    it('are listed by name with their newest version, page by page', async () => {
      const namespace = 'listing';
      for (const name of ['b', 'a', 'c', 'a.b', 'd']) await apply(makeDefinition(name, { namespace }));
      await apply(makeDefinition('c', { namespace, priority: 9 }));
      await apply(makeDefinition('e', { namespace: 'listing-2' }));
      const list = async (afterName: string, limit: number) => {
        const page = await context.store.listDefinitions({ namespace, afterName, limit, showArchived: false });
        return { names: page.definitions.map(({ name, version }) => `${name} ${version}`), hasMore: page.hasMore };
      };
      const whole = await list('', 10);
      expect(whole).toEqual({ names: expect.arrayContaining(['c 2']), hasMore: false });
      expect(whole.names).toHaveLength(5);
      const first = await list('', 3);
      expect(first).toEqual({ names: whole.names.slice(0, 3), hasMore: true });
      const after = first.names.at(-1)?.split(' ')[0] ?? '';
      expect(await list(after, 2)).toEqual({ names: whole.names.slice(3), hasMore: false });
      expect(await list('zz', 10)).toEqual({ names: [], hasMore: false });
      const listed = await context.store.listDefinitions({ namespace, afterName: 'b', limit: 1, showArchived: false });
      expect(listed.definitions[0]).toEqual(await context.store.readDefinition(namespace, 'c', 0));
    });

    it('end a page that would grow too large', async () => {
      const namespace = 'large';
      const description = 'x'.repeat(900_000);
      for (const name of ['a', 'b', 'c', 'd', 'e']) await apply(makeDefinition(name, { namespace, description }));
      const list = (afterName: string) =>
        context.store.listDefinitions({ namespace, afterName, limit: 10, showArchived: true });
      const names = ({ definitions }: Awaited<ReturnType<typeof list>>) => definitions.map(({ name }) => name);
      const first = await list('');
      expect({ names: names(first), hasMore: first.hasMore }).toEqual({ names: ['a', 'b', 'c'], hasMore: true });
      const second = await list('c');
      expect({ names: names(second), hasMore: second.hasMore }).toEqual({ names: ['d', 'e'], hasMore: false });
    });

    it('are archived with all versions, once, until one is applied', async () => {
      const namespace = 'archive';
      await apply(makeDefinition('old', { namespace }));
      await apply(makeDefinition('old', { namespace, priority: 4 }));
      await apply(makeDefinition('used', { namespace }));
      const list = async (showArchived: boolean) => {
        const page = await context.store.listDefinitions({ namespace, afterName: '', limit: 10, showArchived });
        return page.definitions.map(({ name, archiveTimeUs }) => [name, archiveTimeUs]);
      };
      const archived = await context.store.archiveDefinition(namespace, 'old');
      expect(archived).toMatchObject({ version: 2, archiveTimeUs: expect.any(Number) });
      expect(await context.store.archiveDefinition(namespace, 'old')).toEqual(archived);
      expect(await context.store.readDefinition(namespace, 'old', 1)).toMatchObject({
        archiveTimeUs: archived?.archiveTimeUs,
      });
      expect(await list(false)).toEqual([['used', undefined]]);
      expect(await list(true)).toEqual([
        ['old', archived?.archiveTimeUs],
        ['used', undefined],
      ]);
      expect(await context.store.archiveDefinition(namespace, 'none')).toBeUndefined();
      expect(await context.store.archiveDefinition('other', 'old')).toBeUndefined();
      await apply(makeDefinition('old', { namespace, priority: 4 }), true);
      expect(await list(false)).toEqual([['used', undefined]]);
      const back = await apply(makeDefinition('old', { namespace, priority: 4 }));
      expect({ created: back.created, version: back.definition.version }).toEqual({ created: false, version: 2 });
      expect(back.definition.archiveTimeUs).toBeUndefined();
      expect(await list(false)).toHaveLength(2);
    });

    it('return which version was the newest before', async () => {
      const first = await apply(makeDefinition('before'));
      expect(first.previous).toBeUndefined();
      const second = await apply(makeDefinition('before', { priority: 9 }));
      expect(second.previous).toEqual(first.definition);
      expect((await apply(makeDefinition('before', { priority: 9 }))).previous).toBeUndefined();
      expect((await apply(makeDefinition('before', { priority: 5 }), true)).previous).toEqual(second.definition);
    });

    it('are separate for each namespace, and store how long ended jobs are kept', async () => {
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
      const { retentionMs: _, ...silent } = makeDefinition('kept');
      await apply(silent);
      expect(await sql(context, `SELECT FROM retentions WHERE definition = 'kept' AND namespace = 'default'`)).toEqual(
        [],
      );
    });
  });
}
