/** Caches of steps, from a random source of their own, so that the workflows are the same without them. */
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import type { PlannedFlow, PlannedStep, SubmittedFlow } from './flows.ts';

export function withCaches(flows: readonly SubmittedFlow[], random: Prng): SubmittedFlow[] {
  return flows.map((one) => ({ ...one, flow: cachedFlow(one.flow, random) }));
}

function cachedFlow(flow: PlannedFlow, random: Prng): PlannedFlow {
  return { ...flow, steps: flow.steps.map((step) => cachedStep(step, random)) };
}

function cachedStep(step: PlannedStep, random: Prng): PlannedStep {
  if (step.inner) return { ...step, inner: cachedFlow(step.inner, random) };
  const mayHave = step.role === 'NORMAL' && step.definition !== 'signal' && !step.fanOut && !step.loop;
  if (!mayHave || !random.chance(0.7)) return step;
  return { ...step, cache: { key: random.pick(['one', 'one', 'two']), maxAgeMs: random.pick([1_000, 1_000, 60_000]) } };
}
