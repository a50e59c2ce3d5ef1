/** `muster migrate`: brings the schema of a database up to date, before replicas start on it. */
import type { Command } from 'commander';
import { CliError } from '../../failures/cli-error.ts';
import { postgresOptions, postgresUrlOf } from '../../input/database-url.ts';
import { type GlobalOptions, Invocation } from '../../invocation.ts';
import { local } from '../../local-command.ts';
import { processOf } from '../../muster-command.ts';

export function addMigrate(program: Command): void {
  const command = program
    .command('migrate')
    .helpGroup('Servers:')
    .description('Bring the schema of a PostgreSQL database up to date, before replicas of a new release start on it');
  for (const option of postgresOptions('the PostgreSQL database of the deployment; needed')) command.addOption(option);
  command
    .addHelpText(
      'after',
      `
A replica does the same at its start. On large tables a migration may take long: run it first, while replicas of the earlier
release serve. It may be interrupted and run again. One process migrates at a time; others wait and say so.

Examples:
  muster migrate --postgres-file /run/secrets/postgres-url`,
    )
    .action(async (_options, self: Command) => {
      const url = postgresUrlOf(self);
      if (url === undefined)
        throw new CliError({
          message: 'muster migrate needs --postgres (or --postgres-file, MUSTER_POSTGRES, MUSTER_POSTGRES_FILE)',
          next: 'an embedded database is migrated when muster start opens it',
        });
      const { runMigrate } = await import('../../run-migrate.ts');
      await runMigrate(new Invocation(processOf(self), self.optsWithGlobals<GlobalOptions>()), url);
    });
  local(command);
}
