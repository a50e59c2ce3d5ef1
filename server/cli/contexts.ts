/** Contexts: named servers of a user, stored in a file of that user. */
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CliError } from './failures/cli-error.ts';

export interface Context {
  /** gRPC target, such as `muster.example.com:7070`. */
  readonly server: string;
  /** Namespace of its jobs; unset: the server's default. */
  readonly namespace?: string;
}

export interface Contexts {
  /** The context used if none is named. */
  readonly current?: string;
  readonly contexts: Readonly<Record<string, Context>>;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** The folder of the file: $MUSTER_CONFIG, or the platform's folder for settings. */
export function configFolder(env: NodeJS.ProcessEnv, platform: string = process.platform): string {
  if (env.MUSTER_CONFIG) return env.MUSTER_CONFIG;
  const home = env.HOME || homedir();
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'muster');
  return join(env.XDG_CONFIG_HOME || join(home, '.config'), 'muster');
}

export function contextsFile(env: NodeJS.ProcessEnv): string {
  return join(configFolder(env), 'contexts.json');
}

/** @throws CliError if the name is invalid. */
export function checkContextName(name: string): void {
  if (NAME.test(name)) return;
  throw new CliError({
    message: `"${name}" can't be the name of a context`,
    next: 'letters, digits, ".", "_" and "-", at most 63, the first one a letter or digit',
  });
}

/** No contexts if there is no file. */
export async function readContexts(path: string): Promise<Contexts> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { contexts: {} };
    throw unusable(path, (error as Error).message, error);
  }
  try {
    return checked(JSON.parse(text));
  } catch (error) {
    throw unusable(path, (error as Error).message, error);
  }
}

/** Replaces the file atomically, so that a reader sees the old one or the new one; only its owner may read it. */
export async function writeContexts(path: string, contexts: Contexts): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(contexts, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(temporary, 0o600); // also where an older file of that name was there
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    const next = 'set MUSTER_CONFIG to a folder that you may write to';
    throw new CliError({ message: `can't write ${path}: ${(error as Error).message}`, next, cause: error });
  }
}

function checked(value: unknown): Contexts {
  const { current, contexts } = object(value, 'it');
  if (current !== undefined && typeof current !== 'string') throw new Error('"current" is no text');
  const all = Object.entries(object(contexts ?? {}, '"contexts"')).map(([name, context]) => {
    const { server, namespace } = object(context, `"contexts.${name}"`);
    if (typeof server !== 'string') throw new Error(`"contexts.${name}.server" is no text`);
    if (namespace !== undefined && typeof namespace !== 'string')
      throw new Error(`"contexts.${name}.namespace" is no text`);
    return [name, { server, ...(namespace === undefined ? {} : { namespace }) }] as const;
  });
  return { ...(current === undefined ? {} : { current }), contexts: Object.fromEntries(all) };
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${what} is no JSON object`);
}

function unusable(path: string, why: string, cause: unknown): CliError {
  return new CliError({
    message: `can't use ${path}: ${why}`,
    next: 'correct or delete it; muster context set NAME --server HOST:PORT writes it again',
    cause,
  });
}
