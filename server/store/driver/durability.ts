/** Settings of PostgreSQL with which acknowledged jobs may be lost. */
import type { Session } from './database.ts';

const risks = {
  fsync: 'a crash of its machine may destroy the database',
  full_page_writes: 'a crash of its machine may destroy the database',
  synchronous_commit: 'a crash of PostgreSQL may lose jobs that were acknowledged',
} as const;

const read = {
  name: '',
  text: `SELECT name, setting FROM pg_settings WHERE name IN ('${Object.keys(risks).join("', '")}') ORDER BY name`,
  row: { name: 'text', setting: 'text' },
} as const;

/** A sentence for each setting that is off. */
export async function durabilityWarnings(session: Session): Promise<string[]> {
  const rows = await session.run(read, []);
  const off = rows.filter(({ setting }) => setting === 'off');
  return off.map(({ name }) => `PostgreSQL has ${name}=off: ${risks[name as keyof typeof risks]}`);
}
