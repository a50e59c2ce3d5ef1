/** Scenarios and arrivals for the tests, and the outcome of each job. */
import type { JsonObject } from '@bufbuild/protobuf';
import { reportOf } from '../../../server/tools/simulate/report/report.ts';
import type { SimulationReport } from '../../../server/tools/simulate/report/report-types.ts';
import type { Simulator } from '../../../server/tools/simulate/run-simulation.ts';
import type { Arrival, Scenario } from '../../../server/tools/simulate/scenario.ts';

export function scenarioOf(given: {
  readonly definitions?: readonly JsonObject[];
  readonly queues?: readonly JsonObject[];
  readonly slots?: number;
  readonly workers?: Scenario['workers'];
}): Scenario {
  const { definitions = [{ name: 'work' }], queues = [], slots = 1 } = given;
  return {
    definitions: definitions.map((one) => ({ task: {}, ...one })),
    queues,
    workers: given.workers ?? [{ name: 'only', slots, handlers: undefined, labels: {}, resources: {} }],
  };
}

/** One arrival per line, with these fields. */
export function arrivalsOf(given: readonly Partial<Arrival>[]): Arrival[] {
  return given.map((one, at) => ({
    line: at + 1,
    atMs: 0,
    definition: 'work',
    queue: '',
    priority: undefined,
    labels: {},
    fairnessKey: undefined,
    limitKey: undefined,
    input: undefined,
    delayMs: 0,
    runMs: 1_000,
    failures: 0,
    failureType: 'Simulated',
    ...one,
  }));
}

export interface Reported {
  /** The start times of the attempts, for each arrival. */
  readonly starts: readonly (readonly number[])[];
  readonly ends: readonly (number | undefined)[];
  readonly states: readonly string[];
  readonly report: SimulationReport;
}

export async function simulate(
  simulator: Simulator,
  scenario: Scenario,
  arrivals: readonly Arrival[],
  seed = 1,
): Promise<Reported> {
  const options = { seed, onProgress: () => {}, signal: new AbortController().signal };
  const run = await simulator.run(scenario, arrivals, options);
  const jobs = run.jobs.toSorted((a, b) => a.arrival.line - b.arrival.line);
  return {
    starts: jobs.map(({ attempts }) => attempts.map(({ startMs }) => startMs)),
    ends: jobs.map(({ endMs }) => endMs),
    states: jobs.map(({ refused, existing, state }) => refused || (existing ? 'EXISTING' : state)),
    report: reportOf(scenario, run),
  };
}
