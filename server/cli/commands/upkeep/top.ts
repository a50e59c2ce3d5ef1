/** `muster top`: queues and workers, updated continuously. */
import { setTimeout as delay } from 'node:timers/promises';
import { Code, MusterError } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import type { Connection } from '../../connection.ts';
import { usualHttpUrl } from '../../doctor/server.ts';
import { span } from '../../input/spans.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { printable } from '../../output/printable.ts';
import { Screen } from '../../top/screen.ts';
import { readSnapshot, type Snapshot } from '../../top/snapshot.ts';
import { documentOf, lines } from '../../top/view.ts';

const USUAL_INTERVAL_MS = 2_000;
const MIN_INTERVAL_MS = 100;

interface Options {
  readonly interval?: number;
  readonly once?: boolean;
  readonly http?: string;
}

export function addTop(program: Command): void {
  program
    .command('top')
    .helpGroup('Queues and workers:')
    .description('Show queues and workers, and keep them up to date')
    .option('--interval <span>', 'time between two snapshots, at least 100ms (default: 2s)', interval)
    .option('--once', 'take two snapshots, one interval between them, and end')
    .option('--http <url>', 'HTTP port of the server (default: its gRPC port plus ten)')
    .addHelpText(
      'after',
      `
WAITING counts the jobs that are ready for a worker, RUNNING those that a worker has. Ended jobs per second are those of the
replica whose HTTP port is read; OLDEST is the time for which the next job has been ready. Ctrl-C ends the command. With --json
each snapshot is a document on a line of its own. If the output is not a terminal, one snapshot is shown.

Examples:
  muster top
  muster top --interval 500ms --namespace shop
  muster top --once --json | jq '.queues[] | select(.waiting > 1000) | .queue'`,
    )
    .action(handled<Options>(top));
}

function interval(text: string): number {
  return Math.max(MIN_INTERVAL_MS, span(text));
}

async function top(invocation: Invocation, options: Options): Promise<void> {
  const { interval: intervalMs = USUAL_INTERVAL_MS } = options;
  const connection = await invocation.connection();
  const http = options.http ?? usualHttpUrl(connection.target.server);
  const watch = new Watch(invocation, connection, http);
  if (options.once || (!invocation.out.json && !invocation.out.stdout.isTTY)) return once(watch, intervalMs);
  return invocation.out.json ? keepPrinting(watch, intervalMs) : keepDrawing(watch, intervalMs);
}

/** Reads snapshots and keeps the previous one, to compute rates. */
class Watch {
  readonly invocation: Invocation;
  readonly connection: Connection;
  readonly #http: string | undefined;
  before: Snapshot | undefined;
  now: Snapshot | undefined;

  constructor(invocation: Invocation, connection: Connection, http: string | undefined) {
    this.invocation = invocation;
    this.connection = connection;
    this.#http = http;
  }

  async readSnapshot(): Promise<Snapshot> {
    const found = await readSnapshot(this.connection, this.#http, this.invocation.signal);
    this.before = this.now;
    this.now = found;
    return found;
  }

  pause(ms: number): Promise<void> {
    return delay(ms, undefined, { signal: this.invocation.signal });
  }
}

async function once(watch: Watch, intervalMs: number): Promise<void> {
  const { out } = watch.invocation;
  await watch.readSnapshot();
  await watch.pause(intervalMs);
  const now = await watch.readSnapshot();
  if (out.json) out.document(documentOf(now, watch.before));
  else {
    const { server } = watch.connection.target;
    for (const line of lines(out, now, watch.before, server, Number.POSITIVE_INFINITY)) out.line(line);
  }
}

async function keepPrinting(watch: Watch, intervalMs: number): Promise<never> {
  for (;;) {
    const now = await watch.readSnapshot();
    watch.invocation.out.item(documentOf(now, watch.before));
    await watch.pause(intervalMs);
  }
}

async function keepDrawing(watch: Watch, intervalMs: number): Promise<never> {
  // An unreachable server at the start is an ordinary error.
  await watch.readSnapshot();
  const screen = new Screen(watch.invocation.out.stdout);
  try {
    for (let trouble = ''; ; ) {
      if (watch.now) draw(screen, watch, watch.now, trouble);
      await watch.pause(intervalMs);
      trouble = await watch.readSnapshot().then(() => '', unavailable);
    }
  } finally {
    screen.leave();
  }
}

function draw(screen: Screen, { invocation, connection, before }: Watch, now: Snapshot, trouble: string): void {
  const space = screen.rows - (trouble === '' ? 0 : 1);
  const shown = lines(invocation.out, now, before, connection.target.server, space);
  const warning = trouble === '' ? [] : [invocation.out.styled('yellow', `as it was: ${printable(trouble)}`)];
  screen.draw([...warning, ...shown]);
}

/** A server that becomes unreachable later is polled again. */
function unavailable(error: unknown): string {
  if (!(error instanceof MusterError)) throw error;
  if (error.code !== Code.UNAVAILABLE && error.code !== Code.DEADLINE_EXCEEDED) throw error;
  return error.message;
}
