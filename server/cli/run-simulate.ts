/** Simulates a scenario, or two, with the progress, and tells what would have happened. */
import { writeFile } from 'node:fs/promises';
import type { JsonValue } from '@bufbuild/protobuf';
import { reportOf } from '../simulate/report/report.ts';
import type { SimulationReport } from '../simulate/report/report-types.ts';
import { Simulator } from '../simulate/run-simulation.ts';
import { type Arrival, type Scenario, SimulationRefusal } from '../simulate/scenario.ts';
import { CliError } from './cli-error.ts';
import type { Invocation } from './invocation.ts';
import { ProgressBar } from './output/progress.ts';
import { countText } from './output/times.ts';
import { readArrivals } from './simulate/arrivals-file.ts';
import { chart } from './simulate/chart.ts';
import { showComparison } from './simulate/compare-view.ts';
import type { Override } from './simulate/overrides.ts';
import { showReport } from './simulate/report-view.ts';
import { readScenario } from './simulate/scenario-file.ts';

export interface SimulateOptions {
  readonly set?: readonly Override[];
  readonly changed?: string;
  readonly chart?: string;
  readonly seed: number;
}

interface Variant {
  readonly title: string;
  /** File that a refusal is about. */
  readonly file: string;
  readonly scenario: Scenario;
}

export async function runSimulate(
  invocation: Invocation,
  file: string,
  arrivalsFile: string,
  options: SimulateOptions,
): Promise<void> {
  const variants = await variantsOf(file, options);
  const scenarios = variants.map(({ scenario }) => scenario);
  const arrivals = await readArrivals(arrivalsFile, scenarios[0] as Scenario);
  const start = performance.now();
  const reports = await simulateAll(invocation, variants, arrivals, arrivalsFile, options.seed);
  const seconds = (performance.now() - start) / 1_000;
  show(invocation, reports, options.seed);
  if (options.chart !== undefined) await draw(options.chart, variants, reports);
  invocation.out.note(
    `Seed ${options.seed}; ${countText(arrivals.length, 'job')} simulated in ${seconds.toFixed(1)} s`,
  );
}

async function variantsOf(file: string, { set = [], changed }: SimulateOptions): Promise<Variant[]> {
  const isCompared = set.length > 0 || changed !== undefined;
  const base = { title: 'as it was', file, scenario: await readScenario(file, []) };
  if (!isCompared) return [{ ...base, title: 'simulated' }];
  const other = changed ?? file;
  return [base, { title: 'as changed', file: other, scenario: await readScenario(other, set) }];
}

async function simulateAll(
  { signal }: Invocation,
  variants: readonly Variant[],
  arrivals: readonly Arrival[],
  arrivalsFile: string,
  seed: number,
): Promise<SimulationReport[]> {
  const bar = new ProgressBar('simulating', arrivals.length * variants.length);
  const simulator = await Simulator.open();
  const reports: SimulationReport[] = [];
  let shown = 0;
  try {
    for (const [at, { scenario, file }] of variants.entries()) {
      const onProgress = ({ done }: { readonly done: number }) => {
        bar.advance(at * arrivals.length + done - shown);
        shown = at * arrivals.length + done;
      };
      const run = simulator.run(scenario, arrivals, { seed, onProgress, signal });
      reports.push(reportOf(scenario, await run.catch((error: unknown) => refused(error, file, arrivalsFile))));
    }
    return reports;
  } finally {
    bar.stop();
    await simulator.close();
  }
}

function refused(error: unknown, file: string, arrivalsFile: string): never {
  if (!(error instanceof SimulationRefusal)) throw error;
  throw new CliError({
    message: error.message,
    details: error.details.map((detail) => `${detail.startsWith('line ') ? arrivalsFile : file}: ${detail}`),
    next: 'put it right in the file; a server would have refused it, too',
    cause: error,
  });
}

async function draw(file: string, variants: readonly Variant[], reports: readonly SimulationReport[]): Promise<void> {
  const runs = reports.map((report, at) => ({ title: variants[at]?.title ?? '', report }));
  await writeFile(file, chart(runs)).catch((error: Error) => {
    throw new CliError({ message: `--chart: ${error.message}`, next: 'name a file that can be written', cause: error });
  });
}

function show({ out }: Invocation, reports: readonly SimulationReport[], seed: number): void {
  const [was, is] = reports as [SimulationReport, SimulationReport?];
  // Reports are plain values.
  if (out.json)
    out.document((is ? { seed, asItWas: was, asChanged: is } : { seed, report: was }) as unknown as JsonValue);
  else if (is) showComparison(out, was, is);
  else showReport(out, was);
}
