/** Workflows: steps per second in a chain, fan-outs and a random graph, and the cost of a step beyond its job. */
import { Client, type DefinitionInit } from '../../sdk/typescript/src/index.ts';
import { type BenchWorker, startDeployment, startWorker } from './deployment.ts';
import { type Latency, latencyOf } from './measures.ts';

interface Parts {
  readonly quick: boolean;
  readonly createDatabase: (() => Promise<string>) | undefined;
  readonly note: (name: string, value: unknown) => void;
}

interface Step {
  readonly name: string;
  readonly definition: string;
  readonly needs?: string[];
  readonly fanOut?: { readonly items: string; readonly maxParallel?: number };
  readonly input?: string;
}

const step = (n: number, needs: readonly number[]): Step => ({
  name: `s${n}`,
  definition: 'nothing',
  needs: needs.map((need) => `s${need}`),
  input: '{}',
});

/** Each step needs one to three of the hundred before it. The graph is the same each time. */
function randomGraph(size: number): Step[] {
  let seed = 1;
  const below = (limit: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % limit;
  };
  return Array.from({ length: size }, (_, n) => {
    const before = Math.min(n, 100);
    const needs = new Set(Array.from({ length: before ? 1 + below(3) : 0 }, () => n - 1 - below(before)));
    return step(n, [...needs]);
  });
}

async function timed(client: Client, worker: BenchWorker, name: string, steps: Step[], input: unknown, jobs: number) {
  await client.applyDefinition({ name, body: { case: 'workflow', value: { steps, output: '{}' } } } as DefinitionInit);
  const handled = worker.untilHandled(jobs);
  const start = performance.now();
  await client.result(await client.submit(name, input));
  const ms = performance.now() - start;
  await handled;
  return { 'jobs/s': Math.round((jobs / ms) * 1_000), 'ms a job': Number((ms / jobs).toFixed(3)), ms: Math.round(ms) };
}

/** The maximum length of a chain whose output expression names all steps. */
const CLOCKS = 150;

interface StepLatency {
  /** Milliseconds from the start of a step's handler, which does nothing, to the start of the next step's handler. */
  readonly fromStart: Latency;
  /** Milliseconds from the stored end of a step to the start of the next step's handler. */
  readonly fromEnd: Latency;
}

async function fromStepToStep(client: Client, times: number): Promise<StepLatency> {
  const steps = Array.from({ length: CLOCKS }, (_, n) => ({ ...step(n, n === 0 ? [] : [n - 1]), definition: 'clock' }));
  const output = `[${steps.map(({ name }) => `steps.${name}.output`).join(', ')}]`;
  await client.applyDefinition({
    name: 'clocks',
    body: { case: 'workflow', value: { steps, output } },
  } as DefinitionInit);
  const fromStart: number[] = [];
  const fromEnd: number[] = [];
  for (let i = 0; i < times; i++) {
    const { jobId } = await client.submit('clocks', {});
    const starts = await client.result<number[]>(jobId);
    const { steps: runs } = await client.listWorkflowSteps(jobId, { pageSize: CLOCKS });
    for (const [n, start] of starts.slice(1).entries()) {
      const { endTime = undefined } = runs[n] ?? {};
      if (!endTime) throw new Error(`step ${n} has no end`);
      fromStart.push(start - (starts[n] as number));
      fromEnd.push(start - (Number(endTime.seconds) * 1_000 + endTime.nanos / 1e6));
    }
  }
  return { fromStart: latencyOf(fromStart), fromEnd: latencyOf(fromEnd) };
}

/** The same without a workflow: a client submits the next job once it has the result of the previous one. */
async function fromJobToJob(client: Client, jobs: number): Promise<Latency> {
  const starts: number[] = [];
  for (let i = 0; i < jobs; i++) starts.push(await client.result<number>(await client.submit('clock', {})));
  return latencyOf(starts.slice(1).map((start, n) => start - (starts[n] as number)));
}

export async function workflowSteps({ quick, createDatabase, note }: Parts): Promise<void> {
  const deployment = await startDeployment(await createDatabase?.());
  const client = new Client({ address: deployment.address, timeoutMs: 600_000 });
  await client.applyDefinition({ name: 'nothing' });
  await client.applyDefinition({ name: 'clock' });
  const worker = await startWorker(deployment.address, 1_000);
  const chain = (length: number) => Array.from({ length }, (_, n) => step(n, n === 0 ? [] : [n - 1]));
  const wide = [{ name: 'each', definition: 'nothing', fanOut: { items: 'workflow.input.list' }, input: '{}' }];
  const list = (length: number) => ({ list: Array.from({ length }, (_, n) => n % 10) });
  try {
    await timed(client, worker, 'warm-up', chain(200), {}, 200);
    const { fromStart, fromEnd } = await fromStepToStep(client, quick ? 3 : 10);
    note("workflow: from a step's start to the next one's, ms", fromStart);
    note(
      'no workflow: from the start of a job to that of the next, ms',
      await fromJobToJob(client, quick ? 400 : 1_500),
    );
    note("workflow: from a step's end to the next one's start, ms", fromEnd);
    const lengths = quick ? [100, 1_000] : [100, 1_000, 10_000];
    for (const length of lengths)
      note(`workflow: a chain of ${length}`, await timed(client, worker, `chain-${length}`, chain(length), {}, length));
    for (const length of quick ? [10_000] : [10_000, 100_000])
      note(`workflow: a fan-out of ${length}`, await timed(client, worker, 'fan-out', wide, list(length), length));
    const narrow = wide.map((each) => ({ ...each, fanOut: { ...each.fanOut, maxParallel: 100 } }));
    for (const length of quick ? [10_000] : [10_000, 100_000]) {
      const run = await timed(client, worker, 'narrow-fan-out', narrow, list(length), length);
      note(`workflow: a fan-out of ${length}, at most 100 at a time`, run);
    }
    const size = quick ? 1_000 : 10_000;
    note(`workflow: a random graph of ${size}`, await timed(client, worker, 'graph', randomGraph(size), {}, size));
  } finally {
    await worker.stop();
    client.close();
    await deployment.stop();
  }
}
