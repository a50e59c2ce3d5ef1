#!/usr/bin/env -S node --max-semi-space-size=8
/** The `muster` command. */
import { Command, InvalidArgumentError } from 'commander';
import { start } from './start.ts';

function integer(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

function list(text: string, before: readonly string[]): string[] {
  return [...before, text];
}

const program = new Command('muster')
  .description('A job control plane: submit jobs over gRPC, run them in any language.')
  .showHelpAfterError();

program
  .command('start')
  .description(
    'Start a control plane and stay until Ctrl-C. Without options everything is embedded: database and message bus.',
  )
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--grpc-port <port>', 'port for clients and workers; 0 takes any free one', integer, 7070)
  .option('--http-port <port>', 'port for browsers, curl and health checks; 0 takes any free one', integer, 7080)
  .option('--http-host <name>', 'another name that the HTTP port is called by; may be repeated', list, [] as string[])
  .option(
    '--cors-origin <origin>',
    'origin of web pages that may call the HTTP port, such as https://ops.example.com; may be repeated',
    list,
    [] as string[],
  )
  .option('--data <folder>', 'folder of the embedded database and message bus', '.muster')
  .option('--postgres <url>', 'use this PostgreSQL server (16 or newer) instead of the embedded database')
  .option(
    '--nats <url>',
    'use this NATS server (2.10 or newer) instead of the embedded one; may be repeated',
    list,
    [] as string[],
  )
  .option('--nats-credentials <file>', 'credentials file (.creds) for --nats')
  .option('--nats-signing-seed <file>', 'seed of the NATS account, to give each worker session credentials of its own')
  .option('--beat-ms <ms>', 'time between two heartbeats of a worker', integer, 5_000)
  .option('--lease-ms <ms>', 'how long a heartbeat is good for; at least three times --beat-ms', integer, 15_000)
  .option('--log-level <level>', 'debug, info, warn, error or silent', 'info')
  .addHelpText(
    'after',
    `
Examples:
  muster start                                   everything embedded, data in .muster/
  muster start --data /var/lib/muster --grpc-port 9000
  muster start --postgres postgres://muster@db/muster --nats nats://bus:4222 --nats-credentials replica.creds`,
  )
  .action((options) =>
    start({
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
    }),
  );

await program.parseAsync();
