/** `muster events`: past and new events of jobs. */
import { setTimeout as delay } from 'node:timers/promises';
import { toJson } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import {
  Code,
  EventService,
  type JobEvent,
  JobEventSchema,
  type JobState,
  MusterError,
  stateName,
  type WatchEventsResponse,
} from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import type { Connection } from '../../connection.ts';
import { states } from '../../input/job-filter.ts';
import { integer } from '../../input/numbers.ts';
import { handled, type Invocation } from '../../invocation.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { styledState } from '../../output/states.ts';

const PAUSE_MS = 500;
/** Maximum wait for a server that restarts. */
const PATIENCE_MS = 60_000;

interface Options {
  readonly follow?: true;
  readonly from?: number;
  readonly type?: readonly JobState[];
  readonly job?: string;
}

export function addEvents(program: Command): void {
  program
    .command('events')
    .helpGroup('Jobs:')
    .description('Show events of jobs: each change of state except to ASSIGNED and RUNNING, and missed soft deadlines')
    .option('-f, --follow', 'show new events until Ctrl-C; with --from also earlier ones')
    .option('--from <position>', 'only events after this position; 0: from the oldest kept event', integer(0))
    .option(
      '--type <state>',
      'only jobs that enter this state, and no missed deadlines; several with commas, or repeated',
      states,
    )
    .option('--job <id>', 'only of this job')
    .addHelpText(
      'after',
      `
Each event comes at least once; a repeated one has the same job and revision. Events are kept for a day, up to 256 MiB. With
--json each event is a line with its position, for --from.

Examples:
  muster events --follow
  muster events --type FAILED,EXPIRED --json | jq -r .jobId
  muster events --job 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b`,
    )
    .action(handled<Options, []>(events));
}

async function events(invocation: Invocation, options: Options): Promise<void> {
  const { out } = invocation;
  let shown = 0;
  for await (const page of pages(invocation, await invocation.connection(), options)) {
    for (const event of page.events) show(out, event, page.position);
    shown += page.events.length;
  }
  if (shown === 0 && !out.json) out.note('No kept events match.');
}

/** Up to the newest kept event, or without end, across interrupted connections. */
async function* pages(
  { signal }: Invocation,
  connection: Connection,
  { follow, from, type = [], job: jobId = '' }: Options,
): AsyncGenerator<WatchEventsResponse> {
  const { namespace } = connection;
  const filter = { namespace, states: [...type], jobId, keptOnly: !follow };
  let position = from === undefined ? undefined : BigInt(from);
  let deadline = 0;
  for (;;) {
    try {
      const after = position === undefined ? {} : { afterPosition: position };
      for await (const page of connection.stream(EventService.method.watchEvents, { ...filter, ...after }, signal)) {
        position = page.position;
        deadline = performance.now() + PATIENCE_MS;
        yield page;
      }
      if (!follow) return;
    } catch (error) {
      const broke = error instanceof MusterError && error.code === Code.UNAVAILABLE;
      if (!broke || performance.now() >= deadline) throw error;
    }
    await delay(PAUSE_MS, undefined, { signal });
  }
}

function show(out: Output, event: JobEvent, position: bigint): void {
  if (out.json) {
    out.item({ position: String(position), ...(toJson(JobEventSchema, event) as object) });
    return;
  }
  const time = event.eventTime ? timestampDate(event.eventTime).toISOString() : '';
  const name = stateName(event.state);
  const state = styledState(out, event.state, name) + ' '.repeat(Math.max(0, 10 - name.length));
  const attempt = event.attempt > 0 ? `attempt ${event.attempt}` : '';
  const missed = event.softDeadlineMissed ? 'missed its soft deadline' : '';
  const why = event.failure ? printable(`${event.failure.type}: ${event.failure.message}`) : '';
  out.line(
    [time, state, event.jobId, printable(event.definition), attempt, missed, why]
      .filter((part) => part !== '')
      .join('  '),
  );
}
