/** `muster export` and `muster import`: move a whole deployment from embedded to PostgreSQL or back. */
import type { Command } from 'commander';
import { postgresOptions } from '../../input/database-url.ts';
import { dataOption, locationOf } from '../../input/deployment.ts';
import { optionWithEnv } from '../../input/environment.ts';
import { type GlobalOptions, Invocation } from '../../invocation.ts';
import { local } from '../../local-command.ts';
import { processOf } from '../../muster-command.ts';

export function addTransfer(program: Command): void {
  addExport(program);
  addImport(program);
}

function addExport(program: Command): void {
  const command = program
    .command('export')
    .argument('<file>', 'the file to write; one that ends in .gz is compressed')
    .helpGroup('Servers:')
    .description('Write a whole deployment into a file, while no control plane serves it')
    .addOption(dataOption());
  for (const option of postgresOptions('the PostgreSQL database of the deployment')) command.addOption(option);
  command
    .addHelpText(
      'after',
      `
The file contains every payload, and the key that signs page tokens; only its owner may read it. It is written under another
name first: a file with the given name is complete.

Examples:
  muster export muster.jsonl.gz                            of .muster/
  muster export muster.jsonl.gz --data /var/lib/muster
  muster export muster.jsonl.gz --postgres postgres://muster@db/muster`,
    )
    .action(async (file: string, _options, self: Command) => {
      const { runExport } = await import('../../run-transfer.ts');
      const invocation = new Invocation(processOf(self), self.optsWithGlobals<GlobalOptions>());
      await runExport(invocation, file, locationOf(self, '.muster'));
    });
  local(command, 'json');
}

function addImport(program: Command): void {
  const command = program
    .command('import')
    .argument('<file>', 'a file written by muster export')
    .helpGroup('Servers:')
    .description('Read an exported deployment into an empty one: all of it, or nothing')
    .addOption(optionWithEnv('--data <folder>', 'data folder of a new embedded deployment', 'MUSTER_DATA'));
  for (const option of postgresOptions('an empty PostgreSQL database (16 or newer)')) command.addOption(option);
  command
    .addHelpText(
      'after',
      `
The whole file is checked before anything is changed, and stored in one transaction: an interrupted import can be repeated.
Open jobs continue when a control plane is started there; jobs that workers had when the old one ended are assigned again.
Never start the old deployment again: both would run the same jobs.

Examples:
  muster import muster.jsonl.gz --postgres postgres://muster@db/muster
  muster import muster.jsonl.gz --data /var/lib/muster-new`,
    )
    .action(async (file: string, _options, self: Command) => {
      const { runImport } = await import('../../run-transfer.ts');
      const invocation = new Invocation(processOf(self), self.optsWithGlobals<GlobalOptions>());
      await runImport(invocation, file, locationOf(self));
    });
  local(command, 'json');
}
