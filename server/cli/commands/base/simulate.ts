/** `muster simulate`: what would have happened to the jobs of a file, with the real engine and a virtual clock. */
import type { Command } from 'commander';
import { integer } from '../../input/numbers.ts';
import { timeOrAge } from '../../input/spans.ts';
import { handled } from '../../invocation.ts';
import { local } from '../../local-command.ts';
import type { ExportOptions } from '../../simulate/export-arrivals.ts';
import { override } from '../../simulate/overrides.ts';
import type { SimulateOptions } from '../../simulate/run-simulate.ts';

export function addSimulate(program: Command): void {
  const group = program
    .command('simulate')
    .helpGroup('Queues and workers:')
    .description('Simulate what would have happened to jobs with other limits, priorities or workers')
    .addHelpText('after', HELP);
  addRun(group);
  addExport(group);
}

const HELP = `
A scenario is a YAML or JSON file with definitions and queues as in the contract, and with the workers:

  definitions:
    - name: mail
      queue: mails
      keyLimit: { key: input.tenant, maxConcurrency: 2 }
  queues:
    - { name: mails, maxConcurrency: 5 }
  workers:
    - { name: small, slots: 10 }            # also count, handlers, labels, resources

Arrivals are JSON objects, one a line; at and run are needed, and the definition:

  {"at": "0s", "definition": "mail", "run": "300ms", "input": {"tenant": "acme"}}
  {"at": "1.5s", "definition": "mail", "run": "2s", "priority": 10, "limitKey": "acme"}

Further fields of a job are queue, labels and delay, as in a submission, and fairnessKey; limitKey and fairnessKey replace an
input from which the keys are computed. Fields of its attempts: failures (the number that fail first), outcome ("succeeded", or
"failed": all fail) and failureType.

Examples:
  muster simulate export --since 1d > yesterday.jsonl
  muster simulate jobs.yaml yesterday.jsonl
  muster simulate jobs.yaml yesterday.jsonl --set queues.mails.maxConcurrency=20 --chart mails.svg`;

function addRun(group: Command): void {
  const command = group
    .command('run', { isDefault: true })
    .argument('<scenario-file>', 'definitions, queues and workers; YAML or JSON')
    .argument('<arrivals-file>', 'the arriving jobs, one per line; - is stdin')
    .description('Simulate the arrivals of a file; the name of the command may be left out')
    .option(
      '--set <change>',
      'compare with this change, such as queues.mails.maxConcurrency=5; may be repeated',
      override,
    )
    .option('--changed <file>', 'compare with another scenario')
    .option('--chart <file>', 'draw waiting and running jobs over time into this file, as SVG')
    .option(
      '--seed <number>',
      'seed of all random choices: the same seed gives the same result',
      integer(0, 2 ** 31 - 1),
      1,
    )
    .addHelpText('after', HELP.replaceAll('muster simulate jobs', 'muster simulate run jobs'))
    .action(
      handled<SimulateOptions, [string, string]>(async (invocation, options, scenario, arrivals) => {
        // Imported only here: other commands must not wait for the engine and its database.
        const { runSimulate } = await import('../../simulate/run-simulate.ts');
        await runSimulate(invocation, scenario, arrivals, options);
      }),
    );
  local(command, 'json');
}

function addExport(group: Command): void {
  group
    .command('export')
    .description('Write the jobs that arrived at a server as arrivals, with the run times of their records')
    .option('--since <time>', 'jobs created at or after this time, or at most this long ago (default: 1d)', timeOrAge)
    .option('--until <time>', 'jobs created before this time, or longer ago than this', timeOrAge)
    .option('--definition <name>', 'only jobs of this definition')
    .option('--queue <name>', 'only jobs of this queue')
    .addHelpText(
      'after',
      `
Inputs are not exported; the keys that definitions compute from them are. Some data is not recorded: the delay of a job with more
than one attempt, the type of failures before a success, and refused submissions.

Examples:
  muster simulate export > yesterday.jsonl
  muster simulate export --since 2026-05-04T00:00Z --until 2026-05-05T00:00Z --queue mails > mails.jsonl`,
    )
    .action(
      handled<ExportOptions>(async (invocation, options) => {
        const { exportArrivals } = await import('../../simulate/export-arrivals.ts');
        await exportArrivals(invocation, options);
      }),
    );
}
