/** `muster start`: runs a control plane until it is told to stop. */
import type { Command } from 'commander';
import { integer, repeated } from '../input/numbers.ts';
import { local } from '../local-command.ts';

export function addStart(program: Command): void {
  const command = program
    .command('start')
    .helpGroup('Servers:')
    .description(
      'Start a control plane and stay until Ctrl-C. Without options everything is embedded: database and message bus.',
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--grpc-port <port>', 'port for clients and workers; 0 takes any free one', integer(0, 65_535), 7070)
    .option(
      '--http-port <port>',
      'port for browsers, curl and health checks; 0 takes any free one',
      integer(0, 65_535),
      7080,
    )
    .option(
      '--http-host <name>',
      'another name that the HTTP port is called by; may be repeated',
      repeated,
      [] as string[],
    )
    .option(
      '--cors-origin <origin>',
      'origin of web pages that may call the HTTP port, such as https://ops.example.com; may be repeated',
      repeated,
      [] as string[],
    )
    .option('--data <folder>', 'folder of the embedded database and message bus', '.muster')
    .option('--postgres <url>', 'use this PostgreSQL server (16 or newer) instead of the embedded database')
    .option(
      '--nats <url>',
      'use this NATS server (2.10 or newer) instead of the embedded one; may be repeated',
      repeated,
      [] as string[],
    )
    .option('--nats-credentials <file>', 'credentials file (.creds) for --nats')
    .option(
      '--nats-signing-seed <file>',
      'seed of the NATS account, to give each worker session credentials of its own',
    )
    .option('--beat-ms <ms>', 'time between two heartbeats of a worker', integer(50), 5_000)
    .option('--lease-ms <ms>', 'how long a heartbeat is good for; at least three times --beat-ms', integer(50), 15_000)
    .option('--log-level <level>', 'debug, info, warn, error or silent', 'info')
    .addHelpText(
      'after',
      `
Examples:
  muster start                                   everything embedded, data in .muster/
  muster start --data /var/lib/muster --grpc-port 9000
  muster start --postgres postgres://muster@db/muster --nats nats://bus:4222 --nats-credentials replica.creds`,
    )
    .action(async (options) => {
      // Only here: what a server takes is nothing that a client should wait for.
      const { runServer } = await import('../run-server.ts');
      await runServer({
        host: options.host,
        grpcPort: options.grpcPort,
        httpPort: options.httpPort,
        httpHosts: options.httpHost,
        corsOrigins: options.corsOrigin,
        dataFolder: options.data,
        postgresUrl: options.postgres,
        natsUrls: options.nats,
        natsCredentialsFile: options.natsCredentials,
        natsSigningSeedFile: options.natsSigningSeed,
        beatMs: options.beatMs,
        leaseMs: options.leaseMs,
        logLevel: options.logLevel,
      });
    });
  local(command);
}
