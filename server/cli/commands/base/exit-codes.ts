/** `muster help exit-codes`: the meaning of the exit codes, for scripts. */
import type { Command } from 'commander';
import { EXIT_CODES_HELP } from '../../failures/exit-codes.ts';
import { local } from '../../local-command.ts';
import { processOf } from '../../muster-command.ts';

export function addExitCodes(program: Command): void {
  const command = program
    .command('exit-codes')
    .description('What the exit codes mean, for scripts')
    .helpGroup('This program:')
    .addHelpText('after', `\n${EXIT_CODES_HELP}`)
    .action((_options, self: Command) => {
      processOf(self).stdout.write(EXIT_CODES_HELP);
    });
  local(command);
}
