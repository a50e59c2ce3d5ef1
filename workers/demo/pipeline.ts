/** The job itself: chunks to the Python worker, their counts to the TypeScript worker, and at last the report. */
import {
  type Client,
  decodePayload,
  durationFromMs,
  type Job,
  JobFailedError,
  JobState,
  type SubmittedJob,
} from '@muster/sdk';
import { BAND_STARTS, type DelayCounts } from './delay-counts.ts';
import { cut, type Flight } from './flights.ts';
import { type Chunk, DEFINITIONS, type Parts, type Report } from './jobs.ts';

const CHUNK_FLIGHTS = 200;
const GROUP_CHUNKS = 25;
/** Groups under way at once: what bounds the jobs that wait, and the memory that their results take here. */
const GROUPS_AT_ONCE = 6;

export type JobKind = keyof typeof DEFINITIONS;

export interface Run {
  readonly client: Client;
  readonly signal: AbortSignal;
  /** Told each job that has succeeded. */
  readonly onEnd: (kind: JobKind, job: Job) => void;
}

/** The work, cut up: groups of chunks. */
export function planWork(flights: readonly Flight[]): Chunk[][] {
  const chunks = cut(flights, CHUNK_FLIGHTS).map((piece) => ({ flights: piece, band_starts: BAND_STARTS }));
  return cut(chunks, GROUP_CHUNKS);
}

/** How many jobs of each kind the work takes. */
export function sizesOf(groups: readonly Chunk[][]): Record<JobKind, number> {
  return { count: groups.flat().length, merge: groups.length, report: 1 };
}

/** Counts a few groups at a time, then reports. */
export async function executeWork(run: Run, groups: readonly Chunk[][]): Promise<Report> {
  await applyDefinitions(run);
  const waiting = groups.values();
  const counts: DelayCounts[] = [];
  const lane = async () => {
    // The lanes share one iterator: each takes the next group once it is done with one.
    for (const group of waiting) counts.push(await countGroup(run, group));
  };
  await Promise.all(Array.from({ length: GROUPS_AT_ONCE }, lane));
  return submitAndWait(run, 'report', counts);
}

async function applyDefinitions({ client, signal }: Run): Promise<void> {
  for (const name of Object.values(DEFINITIONS)) {
    await client.applyDefinition(
      { name, description: 'A job of the demo', runTimeout: durationFromMs(60_000) },
      { signal },
    );
  }
}

/** The chunks of a group in one call, and then the merge of what they gave. */
async function countGroup(run: Run, group: readonly Chunk[]): Promise<DelayCounts> {
  const requests = group.map((input) => ({ definition: DEFINITIONS.count, input, labels: labelsOf('count') }));
  const jobs = await run.client.submitMany(requests, { signal: run.signal });
  const parts = await Promise.all(jobs.map((job) => resultOf<DelayCounts>(run, 'count', job)));
  return submitAndWait(run, 'merge', parts);
}

async function submitAndWait<T>(run: Run, kind: 'merge' | 'report', parts: Parts): Promise<T> {
  const options = { labels: labelsOf(kind), signal: run.signal };
  return resultOf(run, kind, await run.client.submit(DEFINITIONS[kind], parts, options));
}

/** What `client.result` gives, and the job itself for whoever wants to know how it went. */
async function resultOf<T>(run: Run, kind: JobKind, submitted: SubmittedJob): Promise<T> {
  const job = await run.client.wait(submitted, { signal: run.signal });
  if (job.state !== JobState.SUCCEEDED || job.outcome.case !== 'result') throw new JobFailedError(job);
  run.onEnd(kind, job);
  return decodePayload(job.outcome.value) as T;
}

function labelsOf(kind: JobKind): Record<string, string> {
  return { demo: 'flights', kind };
}
