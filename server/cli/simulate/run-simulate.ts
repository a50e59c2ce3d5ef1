/** Simulates one scenario or two with progress, and shows the results. */
import { writeFile } from 'node:fs/promises';
import type { JsonValue } from '@bufbuild/protobuf';
import { reportOf } from '../../tools/simulate/report/report.ts';
import type { SimulationReport } from '../../tools/simulate/report/report-types.ts';
import { Simulator } from '../../tools/simulate/run-simulation.ts';
import { type Arrival, SimulationRefusal } from '../../tools/simulate/scenario.ts';
import { countText } from '../../view/times.ts';
import { pathOf } from '../command-process.ts';
import { CliError } from '../failures/cli-error.ts';
import { nameOf } from '../input/payload-input.ts';
import type { Invocation } from '../invocation.ts';
import { ProgressBar } from '../output/progress.ts';
import { readArrivals } from './arrivals-file.ts';
import { chart } from './chart.ts';
import { showComparison } from './compare-view.ts';
import { showReport } from './report-view.ts';
import { type ChangeOptions, readVariants, type Variant, type Variants } from './variants.ts';

export interface SimulateOptions extends ChangeOptions {
  readonly chart?: string;
  readonly seed: number;
}

export async function runSimulate(
  invocation: Invocation,
  file: string,
  arrivalsFile: string,
  options: SimulateOptions,
): Promise<void> {
  const variants = await readVariants(invocation.process, file, options);
  const arrivals = await readArrivals(invocation.process, arrivalsFile, variants);
  const start = performance.now();
  const reports = await simulateAll(invocation, variants, arrivals, arrivalsFile, options.seed);
  const seconds = (performance.now() - start) / 1_000;
  show(invocation, reports, options.seed);
  if (options.chart !== undefined) await draw(pathOf(invocation.process, options.chart), variants, reports);
  invocation.out.note(
    `Seed ${options.seed}; ${countText(arrivals.length, 'job')} simulated in ${seconds.toFixed(1)} s`,
  );
}

async function simulateAll(
  { signal, out }: Invocation,
  variants: Variants,
  arrivals: readonly Arrival[],
  arrivalsFile: string,
  seed: number,
): Promise<SimulationReport[]> {
  const bar = new ProgressBar(out, 'simulating', arrivals.length * variants.length);
  const simulator = await Simulator.open();
  const reports: SimulationReport[] = [];
  let shown = 0;
  try {
    // A single variant is checked when its run begins.
    if (variants.length > 1) await checkAll(simulator, variants, arrivals, arrivalsFile, signal);
    for (const [at, { scenario }] of variants.entries()) {
      const onProgress = ({ done }: { readonly done: number }) => {
        bar.advance(at * arrivals.length + done - shown);
        shown = at * arrivals.length + done;
      };
      const run = simulator.run(scenario, arrivals, { seed, onProgress, signal });
      reports.push(reportOf(scenario, await run.catch(refusing(variants, at, arrivalsFile))));
    }
    return reports;
  } finally {
    bar.stop();
    await simulator.close();
  }
}

/** Refuses a wrong change before the first run, which may take long. */
async function checkAll(
  simulator: Simulator,
  variants: Variants,
  arrivals: readonly Arrival[],
  arrivalsFile: string,
  signal: AbortSignal,
): Promise<void> {
  for (const [at, { scenario }] of variants.entries())
    await simulator.check(scenario, arrivals, signal).catch(refusing(variants, at, arrivalsFile));
}

/** An arrival that fitted before the change is refused because of the change. */
function refusing(variants: Variants, at: number, arrivalsFile: string): (error: unknown) => never {
  const source = variants[at]?.source ?? '';
  const file = nameOf(arrivalsFile);
  const placed = (detail: string) => {
    if (!detail.startsWith('line ')) return `${source}: ${detail}`;
    return at === 0 ? `${file}: ${detail}` : `${source}: with ${file}, ${detail}`;
  };
  return (error) => {
    if (!(error instanceof SimulationRefusal)) throw error;
    throw new CliError({
      message: error.message,
      details: error.details.map(placed),
      next: `correct ${at === 0 ? 'the file' : 'the source named first'}; a server would have refused it, too`,
      cause: error,
    });
  };
}

async function draw(file: string, variants: readonly Variant[], reports: readonly SimulationReport[]): Promise<void> {
  const runs = reports.map((report, at) => ({ title: variants[at]?.title ?? '', report }));
  await writeFile(file, chart(runs)).catch((error: Error) => {
    throw new CliError({ message: `--chart: ${error.message}`, next: 'name a file that can be written', cause: error });
  });
}

function show({ out }: Invocation, reports: readonly SimulationReport[], seed: number): void {
  const [was, is] = reports as [SimulationReport, SimulationReport?];
  // Reports are plain values, which JSON can represent.
  if (out.json)
    out.document((is ? { seed, asItWas: was, asChanged: is } : { seed, report: was }) as unknown as JsonValue);
  else if (is) showComparison(out, was, is);
  else showReport(out, was);
}
