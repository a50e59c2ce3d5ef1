/** `muster conformance`: proves that a worker in any language implements the protocol. */
import { type Command, InvalidArgumentError } from 'commander';
import { type Feature, features } from '../../../tools/conformance/features.ts';
import { integer, repeated } from '../../input/numbers.ts';
import { handled } from '../../invocation.ts';
import { local } from '../../local-command.ts';
import type { ConformanceOptions } from '../../run-conformance.ts';

const HELP = `
The command is started once for most cases, with MUSTER_ADDRESS (host:port of gRPC, plain text), MUSTER_WORKER_NAME and
MUSTER_SLOTS in its environment. It has to run one worker with the handlers "echo" and "script", which docs/conformance.md
describes, to drain and end with 0 on SIGTERM, and to end otherwise, saying why, when it is refused for good. A process that
it starts must end with it; a shell that starts it has to do so by exec.

It needs no server and leaves nothing behind: the control plane is played, with its faults; the bus is a real nats-server.
What the worker need not offer, and does not, is told and is no failure: prefetch, and what --without names. A case that failed while
the machine was too busy is run again alone.

Examples:
  muster conformance -- node workers/conformance-typescript/worker.ts
  muster conformance --case 'fence-*' --case drain-sigterm -- ./my-worker
  muster conformance --report conformance.json --seed 7 -- python worker.py
  muster conformance --list`;

export function addConformance(program: Command): void {
  const command = program
    .command('conformance')
    .helpGroup('Queues and workers:')
    .argument('[command...]', 'the worker and its arguments, after --')
    .description('Prove that a worker of yours speaks the protocol: play the control plane against it, with faults')
    .option('--case <name>', 'only this case, or those that fit a name with * in it; may be repeated', repeated)
    .option('--without <feature>', `what the worker does not offer: ${features.join(', ')}; may be repeated`, feature)
    .option('--list', 'only list the cases and what each proves')
    .option('--report <file>', 'write the report into this file, as JSON')
    .option('--seed <number>', 'what is left to chance comes from it', integer(0, 2 ** 31 - 1), 1)
    .option('--parallel <number>', 'workers at once', integer(1, 64), 8)
    .addHelpText('after', HELP)
    .action(
      handled<ConformanceOptions, [string[]]>(async (invocation, options, words) => {
        // Imported only here: other commands must not wait for the kit and its servers.
        const { runConformance } = await import('../../run-conformance.ts');
        return runConformance(invocation, words, options);
      }),
    );
  local(command, 'json');
}

/** For an option that may be repeated. */
function feature(text: string, before: readonly Feature[] = []): Feature[] {
  const found = features.find((one) => one === text);
  if (found === undefined) throw new InvalidArgumentError(`It takes one of ${features.join(', ')}.`);
  return [...before, found];
}
