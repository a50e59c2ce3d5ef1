/** The deployment to move or to verify: a data folder or a PostgreSQL database. */
import type { Command, Option } from 'commander';
import type { Location } from '../../location.ts';
import { pathOf } from '../command-process.ts';
import { CliError } from '../failures/cli-error.ts';
import { processOf } from '../muster-command.ts';
import { isTyped, type PostgresOptions, postgresUrlOf } from './database-url.ts';
import { optionWithEnv } from './environment.ts';

/** The data folder of a deployment, by default `.muster`. */
export function dataOption(): Option {
  return optionWithEnv('--data <folder>', 'data folder of an embedded deployment (default: ".muster")', 'MUSTER_DATA');
}

type Options = PostgresOptions & { readonly data?: string };

/**
 * The command line has precedence over the environment; the environment alone must be unambiguous, too.
 *
 * @param otherwise The default data folder; undefined: a location is required.
 */
export function locationOf(command: Command, otherwise?: string): Location {
  const { data } = command.opts<Options>();
  const typedUrl = isTyped(command, 'postgres') || isTyped(command, 'postgresFile');
  const typedData = isTyped(command, 'data');
  if (typedUrl && typedData) throw both();
  if (typedData && data !== undefined) return folderOf(command, data);
  const postgresUrl = postgresUrlOf(command);
  if (postgresUrl !== undefined && data !== undefined && !typedUrl) throw both();
  if (postgresUrl !== undefined) return { postgresUrl };
  const dataFolder = data ?? otherwise;
  if (dataFolder !== undefined) return folderOf(command, dataFolder);
  throw new CliError({
    message: `${command.name()} needs a target: --postgres URL, or --data FOLDER for an embedded deployment`,
    next: `muster ${command.name()} --help shows examples`,
  });
}

function folderOf(command: Command, folder: string): Location {
  return { dataFolder: pathOf(processOf(command), folder) };
}

function both(): CliError {
  return new CliError({
    message: 'a deployment is either in --data or in --postgres, and both are given',
    next: 'give one of them; their variables are MUSTER_DATA, MUSTER_POSTGRES and MUSTER_POSTGRES_FILE',
  });
}
