/** `muster queues`: shows and changes queues. */
import { randomUUID } from 'node:crypto';
import { type Queue, QueueSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { CliError } from '../../failures/cli-error.ts';
import { fieldMask } from '../../input/field-mask.ts';
import { graceOf } from '../../input/grace.ts';
import { addLimitOptions, type QueueOptions, queueFields } from '../../input/queue-options.ts';
import { spanUpTo } from '../../input/spans.ts';
import { handled, type Invocation } from '../../invocation.ts';
import type { Output } from '../../output/output.ts';
import { queueColumns, showQueue } from '../../output/queue-view.ts';
import { Table } from '../../output/table.ts';
import { allPages } from '../../pages.ts';
import { present } from '../../require-field.ts';

const CHANGES = '--description, --max-concurrency, --rate, --weight, --no-weights, --max-backlog or --max-backlog-age';

export function addQueues(program: Command): void {
  const group = program
    .command('queues')
    .helpGroup('Queues and workers:')
    .description('Show, pause and change queues')
    .addHelpText(
      'after',
      `
A queue is created by its first job, or with muster queues create. A paused queue assigns no jobs; running jobs continue. Counts
are those of open jobs.

Examples:
  muster queues list
  muster queues pause mails --reason "the mail server is being moved"
  muster queues list --json | jq 'select(.counts.ready != null) | .name'`,
    );
  addReading(group);
  addChanging(group);
  addHolding(group);
}

function addReading(group: Command): void {
  group
    .command('list')
    .description('List the queues with the number of their open jobs')
    .addHelpText('after', '\nExample:\n  muster queues list --namespace shop')
    .action(handled(list));
  group
    .command('get')
    .argument('<queue>', 'its name')
    .description('Show one queue')
    .addHelpText('after', '\nExample:\n  muster queues get mails --json')
    .action(
      handled<object, [string]>(async (invocation, _options, name) => {
        const { namespace, queues } = await invocation.connection();
        show(invocation.out, (await queues.getQueue({ namespace, name })).queue);
      }),
    );
}

function addChanging(group: Command): void {
  addCreate(group);
  addUpdate(group);
  group
    .command('delete')
    .argument('<queue>', 'its name')
    .description('Delete a queue that has no open jobs')
    .addHelpText('after', '\nExample:\n  muster queues delete mails')
    .action(
      handled<object, [string]>(async (invocation, _options, name) => {
        const { namespace, queues } = await invocation.connection();
        await queues.deleteQueue({ namespace, name, requestId: randomUUID() });
        if (!invocation.out.json) invocation.out.line(`Queue ${name} is gone.`);
      }),
    );
}

function addCreate(group: Command): void {
  const create = group
    .command('create')
    .argument('<queue>', 'its name: lower-case letters, digits and "-", at most 63')
    .option('--description <text>', 'description')
    .description('Create a queue before its first job');
  addLimitOptions(create)
    .addHelpText(
      'after',
      `
Examples:
  muster queues create mails --description "Everything that is mailed" --max-concurrency 20
  muster queues create reports --rate 100/1m:20 --weight acme=2 --weight trial=0.5`,
    )
    .action(
      handled<QueueOptions, [string]>(async (invocation, options, name) => {
        const { namespace, queues } = await invocation.connection();
        const request = { queue: { ...queueFields(options).fields, namespace, name }, requestId: randomUUID() };
        printResult(invocation, (await queues.createQueue(request)).queue, 'was created');
      }),
    );
}

function addUpdate(group: Command): void {
  const update = group
    .command('update')
    .argument('<queue>', 'its name')
    .option('--description <text>', 'description; empty for none')
    .option('--etag <etag>', 'change it only if nobody else has since it was read; muster queues get --json shows it')
    .description('Change the description, the limits and the weights of a queue; anything left out stays as it is');
  addLimitOptions(update)
    .option('--no-weights', 'reset the weight of every fairness key to 1')
    .addHelpText(
      'after',
      `
Running jobs continue when a limit is lowered. --weight replaces all weights of the queue.

Examples:
  muster queues update mails --description "Mails, but no newsletters" --max-concurrency 0
  muster queues update reports --rate none --weight acme=3`,
    )
    .action(
      handled<QueueOptions & { etag?: string }, [string]>(async (invocation, { etag = '', ...options }, name) => {
        const { paths, fields } = queueFields(options);
        if (paths.length === 0) throw new CliError({ message: `nothing to change: give ${CHANGES}` });
        const { namespace, queues } = await invocation.connection();
        const queue = { ...fields, namespace, name, etag };
        const request = { queue, updateMask: fieldMask(...paths), requestId: randomUUID() };
        printResult(invocation, (await queues.updateQueue(request)).queue, 'is changed');
      }),
    );
}

interface PauseOptions {
  readonly reason?: string;
  readonly running?: true;
  readonly grace?: number;
}

function addHolding(group: Command): void {
  group
    .command('pause')
    .argument('<queue>', 'its name')
    .option('--reason <text>', 'why; shown while it is paused')
    .option('--running', 'ask the handlers of its jobs to stop; their attempts do not count')
    .option(
      '--grace <duration>',
      'with --running: how long the handlers may take; default: cancel_grace of their definitions',
      spanUpTo('1h'),
    )
    .description('Pause a queue: none of its jobs are assigned; running jobs continue')
    .addHelpText(
      'after',
      `
Examples:
  muster queues pause mails --reason "the mail server is being moved"
  muster queues pause mails --running --grace 10s`,
    )
    .action(
      handled<PauseOptions, [string]>(async (invocation, { reason = '', running = false, grace }, name) => {
        const { namespace, queues } = await invocation.connection();
        const request = { namespace, name, reason, running, ...graceOf(grace), requestId: randomUUID() };
        const response = await queues.pauseQueue(request);
        printResult(invocation, response.queue, `is paused; to resume it: muster queues resume ${name}`);
      }),
    );
  group
    .command('resume')
    .argument('<queue>', 'its name')
    .description('Resume a paused queue')
    .addHelpText('after', '\nExample:\n  muster queues resume mails')
    .action(
      handled<object, [string]>(async (invocation, _options, name) => {
        const { namespace, queues } = await invocation.connection();
        const response = await queues.resumeQueue({ namespace, name, requestId: randomUUID() });
        printResult(invocation, response.queue, 'is resumed');
      }),
    );
}

async function list(invocation: Invocation): Promise<void> {
  const { namespace, queues } = await invocation.connection();
  const { out } = invocation;
  const table = new Table(queueColumns(out), out.width);
  let shown = 0;
  for await (const page of allPages((pageToken, pageSize) => queues.listQueues({ namespace, pageToken, pageSize }))) {
    if (out.json) for (const queue of page.queues) out.messageItem(QueueSchema, queue);
    else for (const line of table.lines(page.queues)) out.line(line);
    shown += page.queues.length;
  }
  if (shown === 0 && !out.json) out.note('There are no queues: the first job of a queue creates it.');
}

function printResult({ out }: Invocation, queue: Queue | undefined, what: string): void {
  const { name } = present(queue, 'queue');
  if (out.json) show(out, queue);
  else out.line(`Queue ${name} ${what}.`);
}

function show(out: Output, given: Queue | undefined): void {
  const queue = present(given, 'queue');
  if (out.json) out.message(QueueSchema, queue);
  else showQueue(out, queue);
}
