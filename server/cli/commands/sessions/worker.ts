/** `muster worker`: runs a worker on this machine whose handlers are commands. */
import { hostname } from 'node:os';
import { type Command, Option } from 'commander';
import { BOUNDS, OUTPUT_TYPES, SUSPEND_SIGNALS } from '../../../../workers/exec/command-spec.ts';
import type { CommandProcess } from '../../command-process.ts';
import {
  type CommandOptions,
  exitRule,
  handlersOf,
  type NamedCommand,
  namedCommand,
  outputLimit,
  refuseWithFile,
  variableName,
} from '../../exec/handler-options.ts';
import { CliError } from '../../failures/cli-error.ts';
import { amount, bytes } from '../../input/amounts.ts';
import { label } from '../../input/labels.ts';
import { integer } from '../../input/numbers.ts';
import { spanUpTo } from '../../input/spans.ts';
import type { GlobalOptions } from '../../invocation.ts';
import { local } from '../../local-command.ts';
import { processOf } from '../../muster-command.ts';
import { findTarget } from '../../target.ts';

const DRAIN_MS = 30_000;

const HELP = `
The command gets a job's input on stdin, and in the file $MUSTER_INPUT_FILE; {input} in an argument is replaced by that path.
Its stdout is the result, its stderr the log. Exit code 0 means success; after 64, 65, 77, 78, 126 and 127 the job ends FAILED
without a retry; after any other code the job's retry policy decides. A cancel sends SIGTERM, then SIGKILL.
No shell interprets a command unless it is one: sh -c '…'. docs/exec.md has the details.

A file of handlers:
  handlers:
    resize:
      command: [convert, '{input}', -resize, 50%, 'png:-']
      output: bytes
      memory: 512Mi
      exitCodes: { 1: { type: BadImage, nonRetryable: true }, 75: { retryDelay: 30s } }
    report:
      command: [sh, -c, 'sort | uniq -c']
      environment: { LC_ALL: C }
      passEnvironment: [AWS_REGION]
      directory: /srv/reports
      grace: 20s

Examples:
  muster worker exec upper -- tr a-z A-Z
  muster worker exec --handler upper='tr a-z A-Z' --handler count='wc -l' --slots 4 --name texts-1
  muster worker exec --file handlers.yaml --label zone=eu --resource memory=16Gi`;

interface ExecOptions extends CommandOptions {
  readonly handler?: readonly NamedCommand[];
  readonly file?: string;
  readonly name?: string;
  readonly slots: number;
  readonly label?: Record<string, string>;
  readonly resource?: Record<string, number>;
  readonly drainTimeout?: number;
}

export function addWorker(program: Command): void {
  const group = program
    .command('worker')
    .helpGroup('Queues and workers:')
    .description('Run a worker on this machine; muster workers shows those that are connected');
  const command = group
    .command('exec')
    .argument('[handler]', 'name of the one handler, whose command follows after --')
    .argument('[command...]', 'program and arguments')
    .description('Run commands as handlers: any program can be a worker')
    .option('--handler <name=command>', 'run this command for the jobs of this handler; may be repeated', namedCommand)
    .option('-f, --file <file>', 'handlers of a YAML or JSON file; - is stdin')
    .option('--name <name>', "the worker's name, also for sticky jobs (default: the host's name)")
    .option('--slots <number>', 'commands that may run at once', integer(1, 10_000), 10)
    .option('--label <key=value>', 'a label that jobs may demand; may be repeated', label)
    .option('--resource <name=amount>', 'a total of which jobs take their part; may be repeated', amount)
    .option('--drain-timeout <span>', 'after a signal, let commands run for this long (default: 30s)', spanUpTo('7d'))
    .option('--env <name=value>', 'a variable of the commands; may be repeated', label)
    .option(
      '--pass-env <name>',
      'pass on this variable, besides PATH, HOME, LANG and TZ; may be repeated',
      variableName,
    )
    .option('--directory <folder>', 'where the commands run (default: here)')
    .addOption(new Option('--output <type>', 'what stdout is (default: auto)').choices(OUTPUT_TYPES))
    .option('--output-limit <bytes>', 'most bytes of stdout (default: 512Ki, which is the most)', outputLimit)
    .option('--memory <bytes>', 'kill a command whose processes take more together (Linux)', bytes)
    .option(
      '--open-files <number>',
      'most files that a process may have open (default: 1024)',
      integer(...BOUNDS.openFiles),
    )
    .option('--grace <span>', 'time from SIGTERM to SIGKILL (default: 5s)', spanUpTo('1h'))
    .addOption(
      new Option(
        '--suspend-signal <signal>',
        'what a command gets first when its job is paused; SIGTERM follows after --grace (default: SIGTSTP)',
      ).choices(SUSPEND_SIGNALS),
    )
    .option(
      '--exit-code <code=meaning>',
      'non-retryable, retry, retry:30s or infrastructure; may be repeated',
      exitRule,
    )
    .addHelpText('after', HELP)
    .action((handler: string | undefined, words: string[], options: ExecOptions, started: Command) =>
      exec(processOf(started), started.optsWithGlobals<GlobalOptions>(), options, handler, words),
    );
  local(command, 'server', 'context', 'namespace');
}

async function exec(
  process: CommandProcess,
  globals: GlobalOptions,
  options: ExecOptions,
  handler: string | undefined,
  words: readonly string[],
): Promise<void> {
  const handlers = await handlersFrom(process, options, handler, words);
  const { server, namespace } = await findTarget(globals, process.env);
  // Imported only here: other commands must not wait for a worker.
  const { startExecWorker } = await import('../../exec/run-exec.ts');
  await startExecWorker({
    address: server,
    namespace,
    handlers,
    name: options.name ?? nameOfHost(),
    slots: options.slots,
    labels: options.label ?? {},
    resources: options.resource ?? {},
    drainTimeoutMs: options.drainTimeout ?? DRAIN_MS,
  });
}

async function handlersFrom(
  process: CommandProcess,
  options: ExecOptions,
  handler: string | undefined,
  words: readonly string[],
) {
  const { file } = options;
  const commands = [...(options.handler ?? [])];
  if (handler !== undefined) {
    const [program] = words;
    if (!program)
      throw new CliError({
        message: `no command is given for the handler "${handler}"`,
        next: `muster worker exec ${handler} -- COMMAND ARGS…`,
      });
    if (commands.some(([name]) => name === handler))
      throw new CliError({ message: `the handler "${handler}" is given twice` });
    commands.push([handler, words]);
  }
  if (file === undefined && commands.length === 0)
    throw new CliError({
      message: 'no handler is given',
      next: 'muster worker exec NAME -- COMMAND ARGS…, --handler NAME=COMMAND, or --file FILE',
    });
  if (file === undefined) return handlersOf(commands, options, process.cwd());
  if (commands.length > 0)
    throw new CliError({
      message: 'give handlers either on the command line or in --file',
      next: 'put all in the file',
    });
  refuseWithFile(options);
  const { readHandlers } = await import('../../exec/handlers-file.ts');
  return readHandlers(process, file);
}

/** Workers are known by their names; the host's name is stable. */
function nameOfHost(): string {
  const name = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63);
  return name === '' ? 'exec' : name;
}
