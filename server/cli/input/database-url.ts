/** The PostgreSQL of a command: a URL, or the name of a file that contains one, since a URL may contain a password. */
import { readFileSync } from 'node:fs';
import type { Command, Option } from 'commander';
import { CliError } from '../failures/cli-error.ts';
import { optionWithEnv } from './environment.ts';

export interface PostgresOptions {
  readonly postgres?: string;
  readonly postgresFile?: string;
}

export function postgresOptions(description: string): Option[] {
  return [
    optionWithEnv('--postgres <url>', description, 'MUSTER_POSTGRES'),
    optionWithEnv(
      '--postgres-file <file>',
      'a file that holds the URL of --postgres: a command line is visible to everybody on the machine',
      'MUSTER_POSTGRES_FILE',
    ),
  ];
}

/** Whether an option was given on the command line, not by its variable. */
export function isTyped(command: Command, name: string): boolean {
  return command.getOptionValueSource(name) === 'cli';
}

/** The URL; undefined if none is given. The command line has precedence over the environment. */
export function postgresUrlOf(command: Command): string | undefined {
  const { postgres, postgresFile } = command.opts<PostgresOptions>();
  if (postgres !== undefined && postgresFile !== undefined) {
    const [url, file] = [isTyped(command, 'postgres'), isTyped(command, 'postgresFile')];
    if (url === file)
      throw new CliError({ message: 'give either --postgres or --postgres-file, or their variables, not both' });
    return url ? postgres : readUrl(postgresFile);
  }
  return postgresFile === undefined ? postgres : readUrl(postgresFile);
}

function readUrl(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CliError({
      message: `--postgres-file: ${(error as Error).message}`,
      next: 'name a file with a URL such as postgres://muster:PASSWORD@db/muster in it',
      cause: error,
    });
  }
  if (/^postgres(ql)?:\/\/\S+$/.test(text)) return text;
  throw new CliError({
    message: `--postgres-file: ${file} does not hold one URL that begins with postgres://`,
    next: 'it may hold nothing else; a password alone goes into PGPASSWORD',
  });
}
