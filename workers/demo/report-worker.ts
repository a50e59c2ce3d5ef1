/**
 * The demo's TypeScript worker: loads flights, adds up counts, makes a table and a chart. Usage: report-worker.ts
 * ADDRESS FOLDER
 */
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type JobContext, Worker } from '@muster-jobs/sdk';
import { delayChart } from './delay-chart.ts';
import { addCounts, allOf, type DelayCounts, summarise } from './delay-counts.ts';
import { delayTable } from './delay-table.ts';
import { cut, readFlights } from './flights.ts';
import type { Chunks, Counted, Draft, Drafted, Part } from './jobs.ts';

const CHUNK_FLIGHTS = 200;
const [address = '', folder = '.'] = process.argv.slice(2);
/** Read once per process. */
let flights: ReturnType<typeof readFlights> | undefined;

/** The chunks are in the result's payload: the counting jobs read no file. */
async function loadFlights(_ctx: JobContext, { part, of }: Part): Promise<Chunks> {
  flights ??= readFlights();
  const all = await flights;
  const size = Math.ceil(all.length / of);
  return cut(all.slice(part * size, (part + 1) * size), CHUNK_FLIGHTS);
}

/** Adds up the counts of other jobs. */
function mergeDelays(_ctx: JobContext, parts: Counted): DelayCounts {
  return addCounts(parts);
}

async function writeTable(ctx: JobContext, { counts, run }: Drafted) {
  const text = delayTable(counts);
  const draft = await writeDraft(ctx, run, 'flight-delays.txt', text);
  return { ...draft, text, flights: summarise(allOf(counts.hours)).flights };
}

function drawChart(ctx: JobContext, { counts, run }: Drafted): Promise<Draft> {
  return writeDraft(ctx, run, 'flight-delays.svg', delayChart(counts));
}

/** Uses a name of this attempt only: an earlier attempt may still be writing. */
async function writeDraft(ctx: JobContext, run: string, name: string, text: string): Promise<Draft> {
  await mkdir(folder, { recursive: true });
  const draft = `.${name}.${run}.${ctx.fencingToken}`;
  await writeFile(join(folder, draft), text);
  return { draft, name };
}

/**
 * Drafts stay until they are removed, so that a second attempt can do the same again. Readers only see complete files.
 */
async function publishFiles(ctx: JobContext, drafts: readonly Draft[]): Promise<string[]> {
  const files: string[] = [];
  for (const [i, { draft, name }] of drafts.entries()) {
    ctx.progress(i / drafts.length, `${name} is next`);
    const copy = join(folder, `${draft}.${ctx.fencingToken}`);
    await copyFile(join(folder, draft), copy);
    files.push(resolve(folder, name));
    await rename(copy, resolve(folder, name));
  }
  return files;
}

/** Removes the drafts of one run. There are none if the run failed earlier. */
async function removeDrafts(_ctx: JobContext, { run }: Pick<Drafted, 'run'>): Promise<number> {
  await mkdir(folder, { recursive: true });
  const drafts = (await readdir(folder)).filter((name) => name.startsWith('.') && name.includes(run));
  for (const name of drafts) await rm(join(folder, name), { force: true });
  return drafts.length;
}

const worker = new Worker({
  address,
  name: 'delay-report',
  slots: 4,
  signals: true,
  handlers: {
    'load-flights': loadFlights,
    'merge-delays': mergeDelays,
    'write-table': writeTable,
    'draw-chart': drawChart,
    'publish-files': publishFiles,
    'remove-drafts': removeDrafts,
  },
});

await worker.run(); // until SIGINT or SIGTERM
