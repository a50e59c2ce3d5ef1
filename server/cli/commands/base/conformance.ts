/** `muster conformance`: proves that a worker in any language implements the protocol. */
import { type Command, InvalidArgumentError } from 'commander';
import { type Feature, features } from '../../../tools/conformance/features.ts';
import { integer, repeated } from '../../input/numbers.ts';
import { handled } from '../../invocation.ts';
import { local } from '../../local-command.ts';
import type { ConformanceOptions } from '../../run-conformance.ts';

const HELP = `
The kit starts the command for each case, mostly once, with MUSTER_ADDRESS (host:port of gRPC, plain text), MUSTER_WORKER_NAME
and MUSTER_SLOTS in its environment. The command must run one worker with the handlers "echo" and "script", which
docs/conformance.md describes. On SIGTERM it must drain and end with 0; when it is refused permanently it must end with
another code and say why. Its child processes must end with it; a shell that starts it must use exec.

The kit needs no server and leaves nothing behind: it simulates the control plane with its faults; the bus is a real
nats-server. Missing optional features are reported and are no failures: prefetch, and the features of --without. A case that
failed while the machine was too busy is run again alone.

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
    .description('Prove that a worker implements the protocol: simulate the control plane, with faults')
    .option('--case <name>', 'only this case, or those that match a pattern with *; may be repeated', repeated)
    .option(
      '--without <feature>',
      `a feature that the worker does not support: ${features.join(', ')}; may be repeated`,
      feature,
    )
    .option('--list', 'only list the cases and what each proves')
    .option('--report <file>', 'write the report into this file, as JSON')
    .option('--seed <number>', 'seed of all random choices', integer(0, 2 ** 31 - 1), 1)
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
