/** The server and the namespace of a command. */

import { type Contexts, contextsFile, readContexts } from './contexts.ts';
import { CliError } from './failures/cli-error.ts';
import { Exit } from './failures/exit-codes.ts';

export const DEFAULT_SERVER = '127.0.0.1:7070';

export interface TargetOptions {
  readonly server?: string;
  readonly context?: string;
  readonly namespace?: string;
}

export interface Target {
  readonly server: string;
  /** Empty: the server's default. */
  readonly namespace: string;
  /** Origin of the server's address, for messages. */
  readonly source: string;
}

/**
 * The command line has precedence over the environment, and that over the current context; a named context supplies
 * only what is not given otherwise.
 */
export async function findTarget(options: TargetOptions, env: NodeJS.ProcessEnv): Promise<Target> {
  const named = options.context ?? (options.server || env.MUSTER_SERVER ? undefined : env.MUSTER_CONTEXT || undefined);
  const contexts = await contextsWhereNeeded(options, env);
  const name = named ?? (options.server || env.MUSTER_SERVER ? undefined : contexts.current);
  const context = name === undefined ? undefined : contextOf(contexts, name, contextsFile(env));
  const namespace = options.namespace ?? (env.MUSTER_NAMESPACE || context?.namespace) ?? '';
  if (options.server) return { server: checkedServer(options.server, '--server'), namespace, source: '--server' };
  if (context && options.context) return { server: context.server, namespace, source: `--context ${name}` };
  if (env.MUSTER_SERVER)
    return { server: checkedServer(env.MUSTER_SERVER, 'MUSTER_SERVER'), namespace, source: 'MUSTER_SERVER' };
  if (context) return { server: context.server, namespace, source: `context ${name}` };
  return { server: DEFAULT_SERVER, namespace, source: 'the default' };
}

/** A broken file must not affect a command that does not need it. */
async function contextsWhereNeeded(options: TargetOptions, env: NodeJS.ProcessEnv): Promise<Contexts> {
  if (options.context === undefined && (options.server || env.MUSTER_SERVER)) return { contexts: {} };
  return readContexts(contextsFile(env));
}

function contextOf({ contexts }: Contexts, name: string, file: string) {
  const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (context) return context;
  const names = Object.keys(contexts).sort();
  throw new CliError({
    message: `there is no context "${name}" in ${file}`,
    next:
      names.length > 0 ? `there are: ${names.join(', ')}` : `muster context set ${name} --server HOST:PORT makes it`,
    exitCode: Exit.NOT_FOUND,
  });
}

/** @throws CliError if it can't be an address; `where` names its origin. */
export function checkedServer(server: string, where: string): string {
  const next = `such as ${DEFAULT_SERVER}, [::1]:7070, or dns:///muster:7070 for several replicas`;
  if (/^https?:\/\//.test(server))
    throw new CliError({ message: `${where}: "${server}" is a URL; it takes the gRPC port as HOST:PORT`, next });
  if (/^(dns|ipv4|ipv6|unix):/.test(server)) return server;
  const port = /^(?:[^\s:/]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/.exec(server)?.[1];
  if (port === undefined || Number(port) === 0 || Number(port) > 65_535)
    throw new CliError({ message: `${where}: "${server}" is no address; it takes HOST:PORT`, next });
  return server;
}
