/** `muster verify`: compares what a deployment's database keeps with what follows from its rows. */
import type { Command } from 'commander';
import { postgresOptions } from '../../input/database-url.ts';
import { dataOption, locationOf } from '../../input/deployment.ts';
import { type GlobalOptions, Invocation } from '../../invocation.ts';
import { local } from '../../local-command.ts';
import { processOf } from '../../muster-command.ts';

export function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .helpGroup('Servers:')
    .description("Verify a deployment's database: counts, dependencies, inboxes, workflows and batches, from its rows")
    .addOption(dataOption());
  for (const option of postgresOptions('the PostgreSQL database of the deployment')) command.addOption(option);
  command
    .addHelpText(
      'after',
      `
Changes nothing, and reads whole tables at one moment. Replicas may serve a PostgreSQL database meanwhile; an embedded
deployment must be stopped. Use it after a restore, a failover or a crash of the database.
Exits with 0 if all of it holds, 21 if not.

Examples:
  muster verify                                            of .muster/
  muster verify --postgres postgres://muster@db/muster
  muster verify --json | jq '.rules[] | select(.faultCount > 0)'`,
    )
    .action(async (_options, self: Command) => {
      const { runVerify } = await import('../../run-verify.ts');
      const commandProcess = processOf(self);
      const invocation = new Invocation(commandProcess, self.optsWithGlobals<GlobalOptions>());
      commandProcess.exitCode = await runVerify(invocation, locationOf(self, '.muster'));
    });
  local(command, 'json');
}
