/** Assembles the commands of `muster`. */

import type { CommandProcess } from './command-process.ts';
import { addCompletion } from './commands/base/completion.ts';
import { addConformance } from './commands/base/conformance.ts';
import { addContext } from './commands/base/context.ts';
import { addExitCodes } from './commands/base/exit-codes.ts';
import { addSimulate } from './commands/base/simulate.ts';
import { addBatches } from './commands/batches/batches.ts';
import { addApply } from './commands/definitions/apply.ts';
import { addDefinitions } from './commands/definitions/definitions.ts';
import { addRollouts } from './commands/definitions/rollouts.ts';
import { addAssets, addDepend } from './commands/dependencies/assets.ts';
import { addEvents } from './commands/events/events.ts';
import { addTrace } from './commands/events/trace.ts';
import { addExplain } from './commands/explain/explain.ts';
import { addCancel } from './commands/jobs/cancel.ts';
import { addErase } from './commands/jobs/erase.ts';
import { addFail } from './commands/jobs/fail.ts';
import { addGet } from './commands/jobs/get.ts';
import { addList } from './commands/jobs/list.ts';
import { addPause, addResume } from './commands/jobs/pause.ts';
import { addRedrive } from './commands/jobs/redrive.ts';
import { addRetry } from './commands/jobs/retry.ts';
import { addSubmit } from './commands/jobs/submit.ts';
import { addUpdate } from './commands/jobs/update.ts';
import { addWatch } from './commands/jobs/watch.ts';
import { addAudit } from './commands/namespaces/audit.ts';
import { addNamespaces } from './commands/namespaces/namespaces.ts';
import { addQueues } from './commands/queues/queues.ts';
import { addBreakers } from './commands/retries/breakers.ts';
import { addSchedules } from './commands/schedules/schedules.ts';
import { addLogs } from './commands/sessions/logs.ts';
import { addWorker } from './commands/sessions/worker.ts';
import { addWorkers } from './commands/sessions/workers.ts';
import { addSignals } from './commands/signals/signals.ts';
import { addTriggers } from './commands/triggers/triggers.ts';
import { addDoctor } from './commands/upkeep/doctor.ts';
import { addMigrate } from './commands/upkeep/migrate.ts';
import { addServer } from './commands/upkeep/server.ts';
import { addStart } from './commands/upkeep/start.ts';
import { addTop } from './commands/upkeep/top.ts';
import { addTransfer } from './commands/upkeep/transfer.ts';
import { addVerify } from './commands/upkeep/verify.ts';
import { addGraph } from './commands/workflows/graph.ts';
import { addSkip } from './commands/workflows/skip.ts';
import { addTimeline } from './commands/workflows/timeline.ts';
import { outputOf } from './help-output.ts';
import { refuseForeignOptions } from './local-command.ts';
import { MusterCommand } from './muster-command.ts';

export function createProgram(version: string, process: CommandProcess): MusterCommand {
  const program = new MusterCommand(process, 'muster')
    .configureOutput(outputOf(process))
    .description('A job control plane: submit jobs, run them in any language, and always know their state and why.')
    .version(version, '-V, --version', 'print the version')
    .option('-s, --server <host:port>', 'the gRPC port of the server (env MUSTER_SERVER; default 127.0.0.1:7070)')
    .option('-c, --context <name>', 'a server stored with muster context set (env MUSTER_CONTEXT)')
    .option('-n, --namespace <name>', 'the namespace (env MUSTER_NAMESPACE; default: the context\'s, or "default")')
    .option('--json', 'answer in JSON: one document, or one line per item for lists')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .helpCommand('help [command]', 'show the help of a command')
    .hook('preAction', (_program, command) => refuseForeignOptions(command))
    .addHelpText(
      'after',
      `
Examples:
  muster start                                     a server on this machine, nothing to install
  muster apply -f jobs.yaml                        store the definitions of a file
  muster submit add --input '{"a": 2, "b": 3}' --wait
  muster list --state FAILED --since 1h --json | jq .failure.message
  muster help submit                               more about a command
  muster help exit-codes                           the exit codes, for scripts`,
    );
  for (const add of [addStart, addServer, addMigrate, addTransfer, addVerify]) add(program);
  for (const add of [addApply, addDefinitions, addRollouts]) add(program);
  for (const add of [addSubmit, addGet, addExplain, addList, addWatch, addCancel, addRetry, addRedrive]) add(program);
  for (const add of [
    addPause,
    addResume,
    addFail,
    addUpdate,
    addErase,
    addDepend,
    addAssets,
    addSchedules,
    addTriggers,
    addBatches,
    addGraph,
    addTimeline,
    addSkip,
    addAudit,
  ])
    add(program);
  addSignals(program);
  for (const add of [addLogs, addEvents, addTrace, addTop, addQueues, addWorkers, addWorker]) add(program);
  for (const add of [addBreakers, addNamespaces, addDoctor, addCompletion]) add(program);
  addSimulate(program);
  addConformance(program);
  addContext(program);
  addExitCodes(program);
  return program;
}
