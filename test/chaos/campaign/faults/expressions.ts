/** Workflows whose expressions fail in a way that must not stop the others. */
import { Client, type DefinitionInit, JobState, stateName } from '@muster-jobs/sdk';
import { VARIETY } from '../../load/variety.ts';
import type { World } from '../world.ts';
import { type Fault, require, seconds } from './fault.ts';

const END_MS = 60_000;
const WORKFLOWS = 40;
/** One in so many fails. */
const FAILS_EACH = 8;

type Input = Readonly<Record<string, unknown>>;

/** Submits workflows of one step whose input is an expression. Resolves with their states at the end. */
async function statesOf({ run }: World, expression: string, inputs: readonly Input[]): Promise<readonly JobState[]> {
  const retry = { maxAttempts: 1_000, maxBackoffMs: 200 };
  const client = new Client({ address: run.deployment.address, namespace: VARIETY, timeoutMs: END_MS, retry });
  try {
    const steps = [{ name: 'one', definition: 'play', input: expression }];
    const name = 'expression';
    await client.applyDefinition({ name, body: { case: 'workflow', value: { steps } } } as DefinitionInit);
    const jobs = await client.submitMany(inputs.map((input) => ({ definition: name, input })));
    const ended = await Promise.all(jobs.map((job) => client.wait(job, { timeoutMs: END_MS })));
    return ended.map(({ state }) => state);
  } finally {
    client.close();
  }
}

function requireStates(states: readonly JobState[], wanted: readonly JobState[]): void {
  const wrong = states.flatMap((state, n) =>
    state === wanted[n] ? [] : [`${stateName(state)} for ${stateName(wanted[n] ?? JobState.UNSPECIFIED)}`],
  );
  if (wrong.length > 0) throw new Error(`${wrong.length} of ${states.length} workflows ended wrong: ${wrong[0]}`);
}

const failsWithNul: Fault = {
  name: 'workflows of which some fail with a NUL in the message',
  async inflict(world) {
    const fails = (n: number) => n % FAILS_EACH === 0;
    const numbers = Array.from({ length: WORKFLOWS }, (_, n) => n);
    const inputs = numbers.map((n) => ({ key: fails(n) ? 'a\0b' : 'good', good: { give: n } }));
    const start = performance.now();
    const states = await statesOf(world, 'workflow.input[workflow.input.key]', inputs);
    requireStates(
      states,
      numbers.map((n) => (fails(n) ? JobState.FAILED : JobState.SUCCEEDED)),
    );
    const failed = states.filter((state) => state === JobState.FAILED).length;
    return require(failed >
      0, `${failed} of ${WORKFLOWS} failed, all ended within ${seconds(performance.now() - start)}`);
  },
};

export const expressionFaults: readonly Fault[] = [failsWithNul];
