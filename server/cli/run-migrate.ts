/** Migrates a database with a line for each step. */
import { migratePostgres } from '../migrate.ts';
import { CliError } from './failures/cli-error.ts';
import { Exit } from './failures/exit-codes.ts';
import type { Invocation } from './invocation.ts';

export async function runMigrate({ out }: Invocation, url: string): Promise<void> {
  const info = (facts: object, message: string) => out.line(`${message}: ${JSON.stringify(facts)}`);
  try {
    const version = await migratePostgres(url, { info });
    out.line(`The schema is up to date: version ${version}.`);
  } catch (error) {
    throw new CliError({ message: (error as Error).message, exitCode: Exit.UNEXPECTED, cause: error });
  }
}
