/** `muster start`: a control plane for this machine; everything that no option names is embedded. */
import type { Command } from 'commander';
import { optionWithEnv } from '../../input/environment.ts';
import { addListenOptions, addStoreOptions, addTimeAndLogOptions, settingsOf } from '../../input/server-options.ts';
import { local } from '../../local-command.ts';

export function addStart(program: Command): void {
  const command = program
    .command('start')
    .helpGroup('Servers:')
    .description(
      'Start a control plane and stay until Ctrl-C. Without options everything is embedded: database and message bus.',
    );
  addListenOptions(command).addOption(
    optionWithEnv('--data <folder>', 'folder of the embedded database and message bus', 'MUSTER_DATA').default(
      '.muster',
    ),
  );
  addStoreOptions(
    command,
    'use this PostgreSQL server (16 or newer) instead of the embedded database',
    'use this NATS server (2.10 or newer) instead of the embedded one',
  );
  addTimeAndLogOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  muster start                                   everything embedded, data in .muster/
  muster start --data /var/lib/muster --grpc-port 9000
  muster start --postgres postgres://muster@db/muster --nats nats://bus:4222 --nats-credentials replica.creds`,
    )
    .action(async (_options, started: Command) => {
      // Imported only here: clients must not wait for the server's code.
      const { runStart } = await import('../../run-server.ts');
      await runStart(settingsOf(started));
    });
  local(command);
}
