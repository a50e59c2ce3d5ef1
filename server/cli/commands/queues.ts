/** `muster queues`: the lines that jobs wait in. */
import { randomUUID } from 'node:crypto';
import { type Queue, type QueueCounts, QueueSchema } from '@muster/sdk/grpc';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { fieldMask } from '../input/field-mask.ts';
import { addBounds, type BoundOptions, boundsOf } from '../input/queue-bounds.ts';
import { handled, type Invocation } from '../invocation.ts';
import type { Output } from '../output/output.ts';
import type { Column } from '../output/table.ts';
import { Table } from '../output/table.ts';
import { countText, durationText, timeText } from '../output/times.ts';
import { allPages } from '../pages.ts';
import { present } from '../present.ts';

interface Settings extends BoundOptions {
  readonly description?: string;
}

export function addQueues(program: Command): void {
  const group = program
    .command('queues')
    .helpGroup('Queues and workers:')
    .description('Show the queues, what waits in them, and hold or change them')
    .addHelpText(
      'after',
      `
A queue is made by the first job that is submitted to it, or by hand. One that is paused assigns no jobs; those that run go
on. Counts are of open jobs.

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
  const [create, update] = [group.command('create'), group.command('update')];
  create
    .argument('<queue>', 'its name: small letters, digits and "-", at most 63')
    .option('--description <text>', 'what it is for')
    .description('Make a queue before its first job comes')
    .addHelpText('after', '\nExample:\n  muster queues create mails --description "Everything that is mailed"')
    .action(
      handled<Settings, [string]>(async (invocation, { description = '', ...options }, name) => {
        const { namespace, queues } = await invocation.connection();
        const queue = { namespace, name, description, ...boundsOf(options).bounds };
        const request = { queue, requestId: randomUUID() };
        told(invocation, (await queues.createQueue(request)).queue, 'is there now');
      }),
    );
  update
    .argument('<queue>', 'its name')
    .option('--description <text>', 'what it is for; empty for none')
    .option('--etag <etag>', 'change it only if nobody has since it was read, as muster queues get --json shows it')
    .description('Change what a queue is for, and how much may wait in it')
    .addHelpText('after', '\nExample:\n  muster queues update mails --max-backlog 10000 --max-backlog-age 5m')
    .action(
      handled<Settings & { etag?: string }, [string]>(
        async (invocation, { description, etag = '', ...options }, name) => {
          const { bounds, paths } = boundsOf(options);
          if (description !== undefined) paths.push('description');
          if (paths.length === 0)
            throw new CliError({
              message: 'nothing to change: give --description, --max-backlog or --max-backlog-age',
            });
          const { namespace, queues } = await invocation.connection();
          const queue = { namespace, name, etag, ...bounds, ...(description === undefined ? {} : { description }) };
          const request = { queue, updateMask: fieldMask(...paths), requestId: randomUUID() };
          told(invocation, (await queues.updateQueue(request)).queue, 'is changed');
        },
      ),
    );
  for (const command of [create, update]) addBounds(command);
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

function addHolding(group: Command): void {
  group
    .command('pause')
    .argument('<queue>', 'its name')
    .option('--reason <text>', 'why, for those who find it paused')
    .description('Assign no more jobs of a queue; those that run go on')
    .addHelpText('after', '\nExample:\n  muster queues pause mails --reason "the mail server is being moved"')
    .action(
      handled<{ reason?: string }, [string]>(async (invocation, { reason = '' }, name) => {
        const { namespace, queues } = await invocation.connection();
        const response = await queues.pauseQueue({ namespace, name, reason, requestId: randomUUID() });
        told(invocation, response.queue, `is paused: muster queues resume ${name} lets it go on`);
      }),
    );
  group
    .command('resume')
    .argument('<queue>', 'its name')
    .description('Let a paused queue go on')
    .addHelpText('after', '\nExample:\n  muster queues resume mails')
    .action(
      handled<object, [string]>(async (invocation, _options, name) => {
        const { namespace, queues } = await invocation.connection();
        const response = await queues.resumeQueue({ namespace, name, requestId: randomUUID() });
        told(invocation, response.queue, 'goes on');
      }),
    );
}

async function list(invocation: Invocation): Promise<void> {
  const { namespace, queues } = await invocation.connection();
  const { out } = invocation;
  const table = new Table(columnsFor(out), out.width);
  let shown = 0;
  for await (const page of allPages((pageToken, pageSize) => queues.listQueues({ namespace, pageToken, pageSize }))) {
    if (out.json) for (const queue of page.queues) out.messageItem(QueueSchema, queue);
    else for (const line of table.lines(page.queues)) out.line(line);
    shown += page.queues.length;
  }
  if (shown === 0 && !out.json) out.note('There are no queues: the first job that is submitted to one makes it.');
}

function columnsFor(out: Output): Column<Queue>[] {
  const count = (title: string, name: keyof Omit<QueueCounts, `$${string}`>): Column<Queue> => ({
    title,
    value: ({ counts }) => String(counts?.[name] ?? ''),
  });
  return [
    { title: 'QUEUE', value: ({ name }) => name },
    {
      title: 'STATE',
      value: ({ paused }) => (paused ? 'paused' : 'open'),
      style: (text, { paused }) => (paused ? out.styled('magenta', text) : text),
    },
    count('READY', 'ready'),
    count('HELD', 'held'),
    count('SCHEDULED', 'scheduled'),
    count('BLOCKED', 'blocked'),
    count('PAUSED', 'paused'),
    count('WAITING', 'waiting'),
    { title: 'BOUNDS', value: boundsText },
    { title: 'REMARK', value: ({ pauseReason, description }) => pauseReason || description, min: 6 },
  ];
}

function boundsText({ maxBacklog, maxBacklogAge }: Queue): string {
  return [maxBacklog > 0n ? String(maxBacklog) : '', durationText(maxBacklogAge)].filter(Boolean).join(', ');
}

function told({ out }: Invocation, queue: Queue | undefined, what: string): void {
  const { name } = present(queue, 'queue');
  if (out.json) show(out, queue);
  else out.line(`Queue ${name} ${what}.`);
}

function show(out: Output, given: Queue | undefined): void {
  const queue = present(given, 'queue');
  if (out.json) {
    out.message(QueueSchema, queue);
    return;
  }
  const { counts, paused, pauseReason } = queue;
  out.line(`${out.styled('bold', `Queue ${queue.name}`)}  ${paused ? out.styled('magenta', 'paused') : 'open'}`);
  out.facts(
    [
      ['namespace', queue.namespace],
      ['for', queue.description],
      ['paused for', pauseReason],
      ['most that wait', queue.maxBacklog > 0n ? countText(Number(queue.maxBacklog), 'job') : ''],
      ['longest wait', durationText(queue.maxBacklogAge)],
      ['made', timeText(queue.createTime)],
      ['etag', queue.etag],
      ['ready', String(counts?.ready ?? '')],
      ['held by workers', String(counts?.held ?? '')],
      ['scheduled', String(counts?.scheduled ?? '')],
      ['blocked', String(counts?.blocked ?? '')],
      ['paused jobs', String(counts?.paused ?? '')],
      ['waiting', String(counts?.waiting ?? '')],
    ],
    '  ',
  );
}
