/** Settings of a control plane, on the command line or in the environment. */
import type { Command } from 'commander';
import type { ConfigInput } from '../../config.ts';
import { postgresOptions, postgresUrlOf } from './database-url.ts';
import { listed, optionWithEnv } from './environment.ts';
import { integer } from './numbers.ts';

interface ServerOptions {
  readonly host: string;
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly httpHost: string[];
  readonly corsOrigin: string[];
  readonly data?: string;
  readonly postgresConnections: number;
  readonly nats: string[];
  readonly natsCredentials?: string;
  readonly natsSigningSeed?: string;
  readonly beatMs: number;
  readonly leaseMs: number;
  readonly logLevel: NonNullable<ConfigInput['logLevel']>;
}

const port = integer(0, 65_535);

/** Options about ports and callers. */
export function addListenOptions(command: Command): Command {
  return command
    .addOption(optionWithEnv('--host <address>', 'address to listen on', 'MUSTER_HOST').default('127.0.0.1'))
    .addOption(
      optionWithEnv('--grpc-port <port>', 'port for clients and workers; 0 takes any free one', 'MUSTER_GRPC_PORT')
        .argParser(port)
        .default(7070),
    )
    .addOption(
      optionWithEnv(
        '--http-port <port>',
        'port for browsers, curl and health checks; 0 takes any free one',
        'MUSTER_HTTP_PORT',
      )
        .argParser(port)
        .default(7080),
    )
    .addOption(
      optionWithEnv('--http-host <name>', 'another host name of the HTTP port; may be repeated', 'MUSTER_HTTP_HOSTS')
        .argParser(listed)
        .default([], 'none'),
    )
    .addOption(
      optionWithEnv(
        '--cors-origin <origin>',
        'origin of web pages that may call the HTTP port, such as https://ops.example.com; may be repeated',
        'MUSTER_CORS_ORIGINS',
      )
        .argParser(listed)
        .default([], 'none'),
    );
}

/** Options about the database and the message bus. */
export function addStoreOptions(command: Command, postgres: string, nats: string): Command {
  for (const option of postgresOptions(postgres)) command.addOption(option);
  return command
    .addOption(
      optionWithEnv(
        '--postgres-connections <number>',
        'maximum connections to PostgreSQL',
        'MUSTER_POSTGRES_CONNECTIONS',
      )
        .argParser(integer(4, 500))
        .default(12),
    )
    .addOption(
      optionWithEnv('--nats <url>', `${nats}; may be repeated`, 'MUSTER_NATS').argParser(listed).default([], 'none'),
    )
    .addOption(
      optionWithEnv('--nats-credentials <file>', 'credentials file (.creds) for --nats', 'MUSTER_NATS_CREDENTIALS'),
    )
    .addOption(
      optionWithEnv(
        '--nats-signing-seed <file>',
        'file with the seed of the NATS account, to issue credentials to each worker session',
        'MUSTER_NATS_SIGNING_SEED',
      ),
    );
}

export function addTimeAndLogOptions(command: Command): Command {
  return command
    .addOption(
      optionWithEnv('--beat-ms <ms>', 'time between two heartbeats of a worker', 'MUSTER_BEAT_MS')
        .argParser(integer(50))
        .default(5_000),
    )
    .addOption(
      optionWithEnv(
        '--lease-ms <ms>',
        'lease time after a heartbeat; at least three times --beat-ms',
        'MUSTER_LEASE_MS',
      )
        .argParser(integer(50))
        .default(15_000),
    )
    .addOption(
      optionWithEnv('--log-level <level>', 'minimum level of the log', 'MUSTER_LOG_LEVEL')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    );
}

/** The settings given to the command. */
export function settingsOf(command: Command): ConfigInput {
  const options = command.opts<ServerOptions>();
  return {
    host: options.host,
    grpcPort: options.grpcPort,
    httpPort: options.httpPort,
    httpHosts: options.httpHost,
    corsOrigins: options.corsOrigin,
    dataFolder: options.data,
    postgresUrl: postgresUrlOf(command),
    postgresConnections: options.postgresConnections,
    natsUrls: options.nats,
    natsCredentialsFile: options.natsCredentials,
    natsSigningSeedFile: options.natsSigningSeed,
    beatMs: options.beatMs,
    leaseMs: options.leaseMs,
    logLevel: options.logLevel,
  };
}

const optionOf: Readonly<Record<string, string>> = {
  host: '--host',
  grpcPort: '--grpc-port',
  httpPort: '--http-port',
  httpHosts: '--http-host',
  corsOrigins: '--cors-origin',
  dataFolder: '--data',
  postgresUrl: '--postgres',
  postgresConnections: '--postgres-connections',
  natsUrls: '--nats',
  natsCredentialsFile: '--nats-credentials',
  natsSigningSeedFile: '--nats-signing-seed',
  beatMs: '--beat-ms',
  leaseMs: '--lease-ms',
  logLevel: '--log-level',
};

/** Replaces a setting's name in a message of `readConfig` by the option that sets it. */
export function asOption(message: string): string {
  return message.replace(/^([a-zA-Z]+)(?:\.\d+)?(?=: )/gm, (whole, name) => optionOf[name] ?? whole);
}
