/** Muster inside a Node program: for tests and small applications. The command `muster start` does the same. */
import { readConfig } from './config.ts';
import { startReplica } from './main.ts';

export interface MusterOptions {
  /** Folder of the database and the bus. One process at a time can use it. Default: `.muster`. */
  readonly dataFolder?: string;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** 0 takes a free port. Default: 7070. */
  readonly grpcPort?: number;
  /** 0 takes a free port. Default: 7080. */
  readonly httpPort?: number;
  /** URL of a PostgreSQL server, 16 or later. Default: the embedded database. */
  readonly postgresUrl?: string;
  /** URLs of NATS servers, 2.10 or later. Default: an embedded one. */
  readonly natsUrls?: readonly string[];
  /** Lines on standard error from this level on. Default: `warn`. */
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export interface RunningMuster {
  /** For clients and workers, such as `127.0.0.1:7070`. */
  readonly grpcAddress: string;
  /** For browsers and curl, such as `http://127.0.0.1:7080`. */
  readonly httpAddress: string;
  /** Resolves when it can't continue, because its database has ended. Stop it, and start again. */
  readonly lost: Promise<Error>;
  /** Finishes calls in progress and closes everything. The data are kept. */
  stop(): Promise<void>;
}

/**
 * Starts a control plane in this process. Node 22.12 needs the option `--experimental-sqlite` for that; later ones do not.
 *
 * @throws Error that names an invalid option, or what could not be opened and what to do about it.
 */
export async function startMuster({ natsUrls = [], ...options }: MusterOptions = {}): Promise<RunningMuster> {
  return startReplica(readConfig({ logLevel: 'warn', ...options, natsUrls: [...natsUrls] }));
}
