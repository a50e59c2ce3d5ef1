/**
 * Migrations: applied once by any number of concurrent starts; a newer schema is refused only if it breaks this
 * release.
 */
import { describe, expect, it } from 'vitest';
import { openPostgres } from '../../../../../server/store/driver/postgres.ts';
import { migrate, releaseMigrations } from '../../../../../server/store/migrate.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';

export function migrationsSuite(context: StoreContext): void {
  async function withVersion<T>(version: number, breaking: boolean, work: () => Promise<T>): Promise<T> {
    await sql(
      context,
      `INSERT INTO schema_migrations (version, name, breaking) VALUES (${version}, 'future', ${breaking})`,
    );
    try {
      return await work();
    } finally {
      await sql(context, `DELETE FROM schema_migrations WHERE version = ${version}`);
    }
  }

  describe('migrations', () => {
    it('are not applied a second time', async () => {
      expect(await migrate(context.database)).toEqual([]);
    });

    it('refuse a newer schema that breaks this release, with advice', async () => {
      await withVersion(9_000, true, async () => {
        await expect(migrate(context.database)).rejects.toThrow(
          /schema version 9000 \(future\).*start a newer release/,
        );
      });
      expect(await withVersion(9_000, false, () => migrate(context.database))).toEqual([]);
    });

    it('refuse a schema from before the first release, with advice', async () => {
      await withVersion(33, false, async () => {
        await expect(migrate(context.database)).rejects.toThrow(
          /schema version 33 \(future\), from a build of Muster before its first release.*start this release on an empty database/,
        );
      });
    });

    it('apply the missing ones in their order, up to a version', async () => {
      const later = [9_001, 9_002].map((version) => ({ version, name: `later ${version}`, text: 'SELECT 1' }));
      const migrations = [...releaseMigrations(), ...later];
      try {
        expect(await migrate(context.database, { migrations, upTo: 9_001 })).toEqual(['later 9001']);
        expect(await migrate(context.database, { migrations })).toEqual(['later 9002']);
      } finally {
        await sql(context, 'DELETE FROM schema_migrations WHERE version > 9000');
      }
    });

    it.skipIf(context.kind === 'PGlite')(
      'are applied once by several replicas that start at once on an empty database',
      async () => {
        const url = await context.databases?.createDatabase('empty');
        if (!url) throw new Error('a server was expected');
        const databases = Array.from({ length: 4 }, () => openPostgres({ url, poolSize: 2 }));
        try {
          const applied = await Promise.all(databases.map((database) => migrate(database)));
          const versions = await sql(
            { database: databases[0] as (typeof databases)[0] },
            'SELECT name FROM schema_migrations ORDER BY version',
          );
          expect(applied.flat().sort()).toEqual(versions.map((row) => row.name).sort());
          expect(versions.length).toBeGreaterThan(0);
        } finally {
          await Promise.all(databases.map((database) => database.close()));
        }
      },
    );
  });

  describe('the clock', () => {
    it('is that of the database and never runs back', async () => {
      const times: number[] = [];
      for (let i = 0; i < 50; i++) times.push(await context.store.nowUs());
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(Number.isInteger(times[0])).toBe(true);
      expect(Math.abs((times[0] as number) / 1000 - Date.now())).toBeLessThan(60_000);
    });
  });
}
