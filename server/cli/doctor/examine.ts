/** Reads bounded amounts of data from the server for the checks, and returns their findings. */
import { Code, type JobDefinition, JobState, MusterError, type Queue, type Worker } from '@muster-jobs/sdk/grpc';
import type { Connection } from '../connection.ts';
import { reportOf } from '../failures/failure-report.ts';
import { allPages } from '../pages.ts';
import { type Finding, finding } from './finding.ts';
import { checkBreakers, checkDefinitions, checkQueues, checkWorkers, type WaitingQueue } from './work.ts';

/** Maximum items read per list: problems show in the first ones. */
const MAX = 5_000;
/** Maximum queues that are checked, and jobs read per queue. */
const MAX_QUEUES = 50;
const FIRST_JOBS = 20;

async function collect<T, P extends { readonly nextPageToken: string }>(
  read: (pageToken: string, pageSize: number) => Promise<P>,
  itemsOf: (page: P) => readonly T[],
): Promise<T[]> {
  const items: T[] = [];
  for await (const page of allPages(read)) {
    items.push(...itemsOf(page));
    if (items.length >= MAX) break;
  }
  return items;
}

/** A server of another release may not know a call: then the check is skipped, with a note. */
async function unlessUnknown(check: string, work: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MusterError && error.code === Code.UNIMPLEMENTED)
      return [finding(check, 'NOTE', 'not checked: this server does not support it')];
    throw error;
  }
}

/** The findings from the gRPC port; a single error if it can't be reached. */
export async function examine(connection: Connection): Promise<Finding[]> {
  const { namespace, workers, target } = connection;
  let all: Worker[];
  try {
    const read = (pageToken: string, pageSize: number) => workers.listWorkers({ namespace, pageToken, pageSize });
    all = await collect(read, (page) => page.workers);
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    const { message, next } = reportOf(error, target.server);
    return [finding('server', 'ERROR', message, next)];
  }
  return [
    finding('server', 'OK', `${target.server} answers (from ${target.source})`),
    ...checkWorkers(all),
    ...(await unlessUnknown('definitions', async () => checkDefinitions(await definitionsOf(connection), all))),
    ...(await unlessUnknown('queues', () => examineQueues(connection, all))),
    ...(await unlessUnknown('breakers', () => examineBreakers(connection))),
  ];
}

function definitionsOf({ namespace, definitions }: Connection): Promise<JobDefinition[]> {
  const read = (pageToken: string, pageSize: number) =>
    definitions.listJobDefinitions({ namespace, pageToken, pageSize });
  return collect(read, (page) => page.definitions);
}

async function examineQueues(connection: Connection, workers: readonly Worker[]): Promise<Finding[]> {
  const { namespace } = connection;
  const read = (pageToken: string, pageSize: number) =>
    connection.queues.listQueues({ namespace, pageToken, pageSize });
  const queues = await collect(read, (page) => page.queues);
  const ready = queues.filter(({ paused, counts }) => !paused && (counts?.ready ?? 0n) > 0n && counts?.leased === 0n);
  const waiting: WaitingQueue[] = [];
  for (const queue of ready.slice(0, MAX_QUEUES)) waiting.push(await waitingIn(connection, queue));
  return checkQueues(queues, waiting, workers);
}

async function waitingIn(connection: Connection, queue: Queue): Promise<WaitingQueue> {
  const { namespace, jobs, definitions } = connection;
  const filter = { queue: queue.name, states: [JobState.READY] };
  const page = await jobs.listJobs({ namespace, filter, pageSize: FIRST_JOBS });
  const versions = new Map(page.jobs.map((job) => [`${job.definition}@${job.definitionVersion}`, job]));
  const found: JobDefinition[] = [];
  for (const { definition: name, definitionVersion: version } of versions.values()) {
    const { definition } = await definitions.getJobDefinition({ namespace, name, version });
    if (definition) found.push(definition);
  }
  return { queue, definitions: found };
}

async function examineBreakers({ namespace, breakers }: Connection): Promise<Finding[]> {
  const read = (pageToken: string, pageSize: number) =>
    breakers.listCircuitBreakers({ namespace, pageToken, pageSize });
  return checkBreakers(await collect(read, (page) => page.circuitBreakers));
}
