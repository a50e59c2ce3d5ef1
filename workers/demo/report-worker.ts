/** The demo's TypeScript worker: adds counts up, and makes a table and a chart of them. Usage: report-worker.ts ADDRESS FOLDER */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type JobContext, Worker } from '@muster/sdk';
import { delayChart } from './delay-chart.ts';
import { addCounts, type DelayCounts } from './delay-counts.ts';
import { delayTable } from './delay-table.ts';
import { DEFINITIONS, type Report } from './jobs.ts';

const [address = '', folder = '.'] = process.argv.slice(2);

/** Adds up what other jobs have counted. */
function mergeCounts(_ctx: JobContext, parts: readonly DelayCounts[]): DelayCounts {
  return addCounts(parts);
}

/** Writes the table and the chart, and says where they are. A second attempt writes the same files with the same bytes. */
async function reportDelays(ctx: JobContext, parts: readonly DelayCounts[]): Promise<Report> {
  const counts = addCounts(parts);
  await mkdir(folder, { recursive: true });
  const table = delayTable(counts);
  const tableFile = await writeWhole(ctx, 'flight-delays.txt', table);
  ctx.progress(0.5, 'the table is written, the chart is next');
  const chartFile = await writeWhole(ctx, 'flight-delays.svg', delayChart(counts));
  return { table, tableFile, chartFile };
}

/** Under the name of this attempt first: whoever looks finds a whole file, even if an earlier attempt still writes. */
async function writeWhole(ctx: JobContext, name: string, text: string): Promise<string> {
  const file = resolve(folder, name);
  const draft = join(folder, `.${name}.${ctx.jobId}.${ctx.fencingToken}`);
  await writeFile(draft, text);
  await rename(draft, file);
  return file;
}

const worker = new Worker({
  address,
  name: 'delay-report',
  slots: 4,
  signals: true,
  handlers: { [DEFINITIONS.merge]: mergeCounts, [DEFINITIONS.report]: reportDelays },
});

await worker.run(); // until SIGINT or SIGTERM
