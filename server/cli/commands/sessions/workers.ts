/** `muster workers`: shows the workers and their jobs, and drains a worker. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { GetWorkerResponseSchema, SessionState, type Worker, WorkerSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { countText } from '../../../view/times.ts';
import type { Connection } from '../../connection.ts';
import { CliError } from '../../failures/cli-error.ts';
import { Exit } from '../../failures/exit-codes.ts';
import { span } from '../../input/spans.ts';
import { handled, type Invocation } from '../../invocation.ts';
import type { Output } from '../../output/output.ts';
import { type Column, Table } from '../../output/table.ts';
import { ageText } from '../../output/times.ts';
import { handlerText, showWorker, troubleOf } from '../../output/worker-view.ts';
import { allPages } from '../../pages.ts';
import { present } from '../../require-field.ts';

const POLL_MS = 500;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function addWorkers(program: Command): void {
  const group = program
    .command('workers')
    .helpGroup('Queues and workers:')
    .description('Show the connected workers and their jobs, and drain one')
    .addHelpText(
      'after',
      `
A worker is given by the id of its session, or by its name if that is unique.

Examples:
  muster workers list
  muster workers get mailer-1
  muster workers drain mailer-1 --wait       before its machine is restarted`,
    );
  group
    .command('list')
    .description('List the connected workers')
    .addHelpText('after', "\nExample:\n  muster workers list --json | jq -r 'select(.deaf) | .name'")
    .action(handled(list));
  group
    .command('get')
    .argument('<worker>', 'id of its session, or its name')
    .description('Show a worker and its jobs')
    .addHelpText('after', '\nExample:\n  muster workers get mailer-1')
    .action(handled(get));
  group
    .command('drain')
    .argument('<worker>', 'id of its session, or its name')
    .option('--wait', 'wait until it has finished its jobs and ended')
    .option('--timeout <span>', 'wait at most this long; the worker continues to finish (exit code 6)', span)
    .description('Drain a worker: it finishes its jobs and takes no more')
    .addHelpText('after', '\nExample:\n  muster workers drain mailer-1 --wait --timeout 10m')
    .action(handled(drain));
}

async function list(invocation: Invocation): Promise<void> {
  const { out } = invocation;
  const table = new Table(columnsFor(out), out.width);
  let shown = 0;
  for await (const workers of pagesOf(await invocation.connection())) {
    if (out.json) for (const worker of workers) out.messageItem(WorkerSchema, worker);
    else for (const line of table.lines(workers)) out.line(line);
    shown += workers.length;
  }
  if (shown === 0 && !out.json) out.note('No worker is connected: jobs wait until one is.');
}

async function* pagesOf({ namespace, workers }: Connection): AsyncGenerator<Worker[]> {
  const read = (pageToken: string, pageSize: number) => workers.listWorkers({ namespace, pageToken, pageSize });
  for await (const page of allPages(read)) yield page.workers;
}

function columnsFor(out: Output): Column<Worker>[] {
  return [
    { title: 'SESSION', value: ({ sessionId }) => sessionId },
    { title: 'NAME', value: ({ name }) => name, min: 8 },
    {
      title: 'STATE',
      value: (worker) => troubleOf(worker) || 'open',
      style: (text, worker) => (troubleOf(worker) ? out.styled('yellow', text) : text),
    },
    { title: 'HELD', value: ({ heldCount: held, slots }) => `${held}/${slots}` },
    { title: 'BEAT', value: ({ beatTime }) => ageText(beatTime) },
    { title: 'UP', value: ({ openTime }) => ageText(openTime) },
    { title: 'SDK', value: ({ sdk }) => (sdk ? `${sdk.name} ${sdk.version}` : ''), min: 6 },
    { title: 'HANDLERS', value: ({ handlers }) => handlers.map(handlerText).join(' '), min: 8 },
  ];
}

async function get(invocation: Invocation, _options: object, worker: string): Promise<void> {
  const connection = await invocation.connection();
  const { namespace, workers } = connection;
  const response = await workers.getWorker({ namespace, sessionId: await sessionOf(connection, worker) });
  if (invocation.out.json) return invocation.out.message(GetWorkerResponseSchema, response);
  showWorker(invocation.out, present(response.worker, 'worker'), response.heldJobs);
}

/** The session of the worker with this name. */
async function sessionOf(connection: Connection, name: string): Promise<string> {
  if (UUID.test(name)) return name;
  const found: string[] = [];
  for await (const workers of pagesOf(connection))
    found.push(...workers.filter((worker) => worker.name === name).map(({ sessionId }) => sessionId));
  const [only] = found;
  if (only === undefined) {
    const next = 'muster workers list shows the connected workers';
    throw new CliError({ message: `no worker named "${name}" is connected`, next, exitCode: Exit.NOT_FOUND });
  }
  if (found.length === 1) return only;
  throw new CliError({
    message: `${found.length} workers are named "${name}"`,
    details: found.slice(0, 10),
    next: 'give the id of the session',
  });
}

interface DrainOptions {
  readonly wait?: true;
  readonly timeout?: number;
}

async function drain(invocation: Invocation, { wait, timeout }: DrainOptions, name: string): Promise<unknown> {
  if (timeout !== undefined && !wait) throw new CliError({ message: '--timeout goes with --wait' });
  const connection = await invocation.connection();
  const { namespace, workers } = connection;
  const sessionId = await sessionOf(connection, name);
  const response = await workers.drainWorker({ namespace, sessionId, requestId: randomUUID() });
  let worker = present(response.worker, 'worker');
  const ended = wait ? await untilEnded(invocation, connection, sessionId, timeout) : undefined;
  worker = ended ?? worker;
  if (invocation.out.json) invocation.out.message(WorkerSchema, worker);
  else invocation.out.line(drainedText(worker));
  return wait && worker.state !== SessionState.CLOSED ? Exit.TIME_UP : Exit.OK;
}

function drainedText({ name, heldCount: held, state }: Worker): string {
  if (state === SessionState.CLOSED) return `Worker ${name} has finished and ended.`;
  const left = held === 0 ? 'has no jobs left' : `finishes the ${countText(held, 'job')} that it has`;
  return `Worker ${name} takes no new jobs and ${left}.`;
}

/** The last state of the worker: closed, or when the timeout passed. */
async function untilEnded(
  { signal }: Invocation,
  { namespace, workers }: Connection,
  sessionId: string,
  timeout = Number.POSITIVE_INFINITY,
): Promise<Worker> {
  const end = performance.now() + timeout;
  for (;;) {
    const worker = present((await workers.getWorker({ namespace, sessionId })).worker, 'worker');
    if (worker.state === SessionState.CLOSED || performance.now() >= end) return worker;
    await delay(Math.min(POLL_MS, Math.max(1, end - performance.now())), undefined, { signal });
  }
}
