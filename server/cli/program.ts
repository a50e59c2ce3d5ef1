/** The commands of `muster`, put together. */

import type { CommandProcess } from './command-process.ts';
import { addApply } from './commands/apply.ts';
import { addAssets, addDepend } from './commands/assets.ts';
import { addAudit } from './commands/audit.ts';
import { addBatches } from './commands/batches.ts';
import { addBreakers } from './commands/breakers.ts';
import { addCancel } from './commands/cancel.ts';
import { addCompletion } from './commands/completion.ts';
import { addConformance } from './commands/conformance.ts';
import { addContext } from './commands/context.ts';
import { addDefinitions } from './commands/definitions.ts';
import { addDoctor } from './commands/doctor.ts';
import { addErase } from './commands/erase.ts';
import { addEvents } from './commands/events.ts';
import { addExitCodes } from './commands/exit-codes.ts';
import { addExplain } from './commands/explain.ts';
import { addGet } from './commands/get.ts';
import { addGraph } from './commands/graph.ts';
import { addPause, addResume } from './commands/hold.ts';
import { addList } from './commands/list.ts';
import { addLogs } from './commands/logs.ts';
import { addNamespaces } from './commands/namespaces.ts';
import { addQueues } from './commands/queues.ts';
import { addRedrive } from './commands/redrive.ts';
import { addRetry } from './commands/retry.ts';
import { addSchedules } from './commands/schedules.ts';
import { addServer } from './commands/server.ts';
import { addSimulate } from './commands/simulate.ts';
import { addSkip } from './commands/skip.ts';
import { addStart } from './commands/start.ts';
import { addSubmit } from './commands/submit.ts';
import { addTimeline } from './commands/timeline.ts';
import { addTop } from './commands/top.ts';
import { addTrace } from './commands/trace.ts';
import { addTransfer } from './commands/transfer.ts';
import { addUpdate } from './commands/update.ts';
import { addWaits } from './commands/waits.ts';
import { addWatch } from './commands/watch.ts';
import { addWorker } from './commands/worker.ts';
import { addWorkers } from './commands/workers.ts';
import { outputOf } from './help-output.ts';
import { refuseForeignOptions } from './local-command.ts';
import { MusterCommand } from './muster-command.ts';

export function createProgram(version: string, process: CommandProcess): MusterCommand {
  const program = new MusterCommand(process, 'muster')
    .configureOutput(outputOf(process))
    .description('A job control plane: submit jobs, run them in any language, always know what they do and why.')
    .version(version, '-V, --version', 'print the version')
    .option('-s, --server <host:port>', 'the gRPC port of the server (env MUSTER_SERVER; default 127.0.0.1:7070)')
    .option('-c, --context <name>', 'a server kept with muster context set (env MUSTER_CONTEXT)')
    .option('-n, --namespace <name>', 'the namespace (env MUSTER_NAMESPACE; default: the context\'s, or "default")')
    .option('--json', 'answer in JSON: one document, or one line an item where there may be many')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .helpCommand('help [command]', 'show what a command does, takes and answers')
    .hook('preAction', (_program, command) => refuseForeignOptions(command))
    .addHelpText(
      'after',
      `
Examples:
  muster start                                     a server on this machine, nothing to install
  muster apply -f jobs.yaml                        make the definitions of a file
  muster submit add --input '{"a": 2, "b": 3}' --wait
  muster list --state FAILED --since 1h --json | jq .failure.message
  muster help submit                               more about a command
  muster help exit-codes                           what scripts can tell from how it ends`,
    );
  for (const add of [addStart, addServer, addTransfer]) add(program);
  for (const add of [addApply, addDefinitions]) add(program);
  for (const add of [addSubmit, addGet, addExplain, addList, addWatch, addCancel, addRetry, addRedrive]) add(program);
  for (const add of [
    addPause,
    addResume,
    addUpdate,
    addErase,
    addDepend,
    addAssets,
    addSchedules,
    addBatches,
    addGraph,
    addTimeline,
    addSkip,
    addAudit,
  ])
    add(program);
  addWaits(program);
  for (const add of [addLogs, addEvents, addTrace, addTop, addQueues, addWorkers, addWorker]) add(program);
  for (const add of [addBreakers, addNamespaces, addDoctor, addCompletion]) add(program);
  addSimulate(program);
  addConformance(program);
  addContext(program);
  addExitCodes(program);
  return program;
}
