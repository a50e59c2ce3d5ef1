/** `muster server`: a control plane for production, on a given PostgreSQL and NATS. */
import type { Command } from 'commander';
import { CliError } from '../../failures/cli-error.ts';
import { isTyped } from '../../input/database-url.ts';
import { addListenOptions, addStoreOptions, addTimeAndLogOptions, settingsOf } from '../../input/server-options.ts';
import { local } from '../../local-command.ts';

export function addServer(program: Command): void {
  const command = program
    .command('server')
    .helpGroup('Servers:')
    .description(
      'Run a control plane in production: on your PostgreSQL and NATS, nothing embedded, logs as JSON lines',
    );
  addListenOptions(command);
  addStoreOptions(command, 'the PostgreSQL server (16 or newer); needed', 'a NATS server (2.10 or newer); needed');
  addTimeAndLogOptions(command)
    .option('--insecure', 'start although the message bus asks for no credentials', false)
    .addHelpText(
      'after',
      `
Each option has a variable; options have precedence over the environment, where lists are comma-separated. Start any number of
replicas with the same --postgres and --nats: all are equal. Exits with 0 after SIGTERM or SIGINT, when calls in progress are
done.

Examples:
  muster server --host 0.0.0.0 --postgres-file /run/secrets/postgres-url \\
                --nats tls://bus:4222 --nats-credentials replica.creds --nats-signing-seed account.seed
  MUSTER_POSTGRES='postgres://muster@db/muster?sslmode=verify-full' MUSTER_NATS=tls://bus-1:4222,tls://bus-2:4222 \\
  MUSTER_NATS_CREDENTIALS=/run/secrets/replica.creds muster server`,
    )
    .action(async (options: { insecure: boolean }, started: Command) => {
      const settings = settingsOf(started);
      refuseEmbedded(settings.postgresUrl, settings.natsUrls ?? []);
      const { runProduction } = await import('../../run-server.ts');
      await runProduction(settings, { insecure: options.insecure, urlTyped: isTyped(started, 'postgres') });
    });
  local(command);
}

/** An embedded database by accident would be a second, empty deployment. */
function refuseEmbedded(postgresUrl: string | undefined, natsUrls: readonly string[]): void {
  const missing = [
    ...(postgresUrl === undefined ? ['--postgres (or --postgres-file, MUSTER_POSTGRES, MUSTER_POSTGRES_FILE)'] : []),
    ...(natsUrls.length === 0 ? ['--nats (or MUSTER_NATS)'] : []),
  ];
  if (missing.length === 0) return;
  throw new CliError({
    message: `muster server embeds nothing: it needs ${missing.join(' and ')}`,
    next: 'muster start runs with everything embedded, for a machine of your own',
  });
}
