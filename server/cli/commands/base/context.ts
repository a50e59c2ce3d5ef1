/** `muster context`: servers by name, so that an address is typed once. */
import type { Command } from 'commander';
import { type Contexts, checkContextName, contextsFile, readContexts, writeContexts } from '../../contexts.ts';
import { CliError } from '../../failures/cli-error.ts';
import { Exit } from '../../failures/exit-codes.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { local } from '../../local-command.ts';
import { checkedServer, findTarget } from '../../target.ts';

const EXAMPLES = `
Examples:
  muster context set prod --server muster.example.com:7070 --namespace shop
  muster context use prod                  from now on, every command goes there
  muster list --context staging            this one goes elsewhere
  muster context list

The command line has precedence over MUSTER_SERVER, MUSTER_CONTEXT and MUSTER_NAMESPACE, and these over the current context.
Contexts are stored in contexts.json, in the folder $MUSTER_CONFIG, or else in the platform's folder for settings.`;

export function addContext(program: Command): void {
  const group = program
    .command('context')
    .helpGroup('This program:')
    .description('Store servers by name, and choose one')
    .addHelpText('after', EXAMPLES);
  const list = group
    .command('list')
    .description('Show the contexts; the current one has a star')
    .addHelpText('after', '\nExample:\n  muster context list')
    .action(handled(listContexts));
  const set = group
    .command('set')
    .argument('<name>', 'its name')
    .description('Create or change a context from --server and --namespace; the first one becomes the current one')
    .addHelpText('after', '\nExample:\n  muster context set prod --server muster.example.com:7070 --namespace shop')
    .action(handled(setContext));
  const use = group
    .command('use')
    .argument('<name>', 'its name')
    .description('Make a context the current one, for all commands that name no other server')
    .addHelpText('after', '\nExample:\n  muster context use prod')
    .action(handled(useContext));
  const remove = group
    .command('remove')
    .argument('<name>', 'its name')
    .description('Remove a context')
    .addHelpText('after', '\nExample:\n  muster context remove staging')
    .action(handled(removeContext));
  local(list, 'json');
  local(set, 'server', 'namespace');
  for (const command of [use, remove]) local(command);
}

async function listContexts({ out, process: { env } }: Invocation): Promise<void> {
  const { current, contexts } = await readContexts(contextsFile(env));
  const rows = Object.entries(contexts)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, context]) => ({ name, current: name === current, ...context }));
  if (out.json) return out.document(rows);
  if (rows.length > 0) {
    return out.table(
      [
        { title: '', value: (row) => (row.current ? '*' : '') },
        { title: 'NAME', value: ({ name }) => name },
        { title: 'SERVER', value: ({ server }) => server },
        { title: 'NAMESPACE', value: ({ namespace }) => namespace || 'default' },
      ],
      rows,
    );
  }
  const { server } = await findTarget({}, env);
  out.note(`There are no contexts: commands go to ${server}. muster context set NAME --server HOST:PORT makes one.`);
}

async function setContext({ globals, out, process }: Invocation, _options: object, name: string): Promise<void> {
  checkContextName(name);
  const file = contextsFile(process.env);
  const before = await readContexts(file);
  const known = before.contexts[name];
  const server = globals.server === undefined ? known?.server : checkedServer(globals.server, '--server');
  if (server === undefined)
    throw new CliError({
      message: 'a new context needs --server',
      next: `muster context set ${name} --server HOST:PORT`,
    });
  const namespace = globals.namespace ?? known?.namespace;
  const context = { server, ...(namespace ? { namespace } : {}) };
  const current = before.current ?? name;
  await writeContexts(file, { current, contexts: { ...before.contexts, [name]: context } });
  const used = current === name ? 'every command goes there' : `muster context use ${name} sends every command there`;
  out.line(`Context ${name} is ${server}${namespace ? `, namespace ${namespace}` : ''}; ${used}.`);
}

async function useContext({ out, process }: Invocation, _options: object, name: string): Promise<void> {
  const file = contextsFile(process.env);
  const contexts = await readContexts(file);
  const { server } = present(contexts, name, file);
  await writeContexts(file, { ...contexts, current: name });
  out.line(`Every command goes to ${name} (${server}) now.`);
}

async function removeContext({ out, process }: Invocation, _options: object, name: string): Promise<void> {
  const file = contextsFile(process.env);
  const before = await readContexts(file);
  present(before, name, file);
  const { [name]: _removed, ...contexts } = before.contexts;
  const current = before.current === name ? undefined : before.current;
  await writeContexts(file, { ...(current === undefined ? {} : { current }), contexts });
  const left = current ?? (await findTarget({}, process.env)).server;
  out.line(`Context ${name} is removed; commands go to ${left}.`);
}

function present({ contexts }: Contexts, name: string, file: string) {
  const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (context) return context;
  throw new CliError({
    message: `there is no context "${name}" in ${file}`,
    next: 'muster context list shows the contexts',
    exitCode: Exit.NOT_FOUND,
  });
}
