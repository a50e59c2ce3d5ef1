/** Jobs that wait for signals and approvals, and the senders and approvers, before the wait, during it and too late. */
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import { type PlannedAct, planActs } from './acts.ts';
import type { FlowShape, PlannedFlow, PlannedStep, SubmittedFlow } from './flows.ts';

/** A decision, that many ms after the submission of the job. */
export interface PlannedWord {
  readonly kind: 'approve' | 'reject';
  readonly ms: number;
  /** A unique text. */
  readonly text: string;
}

export interface PlannedWait {
  /** Names the call that submits it. */
  readonly name: string;
  readonly at: number;
  readonly definition: 'signal' | 'sign-off';
  /** The key of its event. */
  readonly key: string;
  readonly delayMs: number | undefined;
  readonly acts: readonly PlannedAct[];
  readonly words: readonly PlannedWord[];
}

export interface PlannedEvent {
  /** A unique name. */
  readonly name: string;
  readonly at: number;
  readonly key: string;
  readonly keepMs: number;
}

const HOUR_MS = 3_600_000;

function signals(random: Prng, { until, leaseMs }: FlowShape): PlannedWait[] {
  // Several wait for one event.
  const together = random.between(0, 0.7) * until;
  return Array.from({ length: random.int(3, 6) }, (_, i) => {
    const delayMs = random.chance(0.15) ? random.between(1, leaseMs) : undefined;
    return {
      name: `signal-${i}`,
      at: random.chance(0.5) ? together + random.between(0, 20) : random.between(0, 0.8) * until,
      definition: 'signal',
      key: random.pick(['a', 'a', 'b']),
      delayMs,
      acts: planActs(random, { leaseMs, delayMs, cancels: 0.2 }).filter(({ when }) => when === 'later'),
      words: [],
    };
  });
}

/** Near the start of a wait, so that either may be first, or at any time. */
function eventsFor(random: Prng, waits: readonly PlannedWait[], { until }: FlowShape): PlannedEvent[] {
  return Array.from({ length: random.int(3, 7) }, (_, i) => {
    const { at, delayMs = 0, key } = random.pick(waits);
    const near = at + delayMs + random.between(-10, 60);
    return {
      name: `event-${i}`,
      at: Math.max(0, random.chance(0.5) ? near : random.between(0, 0.9) * until),
      key,
      keepMs: random.pick([0, 300, HOUR_MS, HOUR_MS]),
    };
  }).flatMap((event) => {
    const together = { ...event, name: `${event.name}-too`, at: event.at + random.between(0, 3) };
    return random.chance(0.3) ? [event, together] : [event];
  });
}

function wordsOf(random: Prng, name: string): PlannedWord[] {
  const ms = random.pick([0, 5, 30, 400, 3_000]);
  return Array.from({ length: random.pick([0, 1, 2, 2]) }, (_, i) => ({
    kind: random.pick(['approve', 'approve', 'reject'] as const),
    ms: ms + random.between(0, 20),
    text: `word ${i} on ${name}`,
  }));
}

function signOffs(random: Prng, { until, leaseMs }: FlowShape): PlannedWait[] {
  return Array.from({ length: random.int(1, 3) }, (_, i) => {
    const name = `sign-off-${i}`;
    return {
      ...{ name, at: random.between(0, 0.8) * until, definition: 'sign-off', key: '', delayMs: undefined },
      acts: random.chance(0.15) ? [{ kind: 'cancel', when: 'later', ms: random.between(0, leaseMs) } as const] : [],
      words: wordsOf(random, name),
    };
  });
}

export interface Waits {
  readonly waits: readonly PlannedWait[];
  readonly events: readonly PlannedEvent[];
  /** The times from which the next event is delayed, in ms. */
  readonly lateEvents: readonly number[];
}

/** An event for a job that is cancelled before it arrives. */
function crossingOf(random: Prng, { until }: FlowShape): Waits {
  const at = random.between(0, 0.6) * until;
  const cancel = { kind: 'cancel', when: 'later', ms: random.between(250, 500) } as const;
  const rest = { definition: 'signal', delayMs: undefined, words: [] } as const;
  return {
    waits: [{ name: 'crossing', at, key: 'crossing', acts: [cancel], ...rest }],
    events: [{ name: 'crossing event', at: at + 180, key: 'crossing', keepMs: HOUR_MS }],
    lateEvents: [at + 150],
  };
}

export function planWaits(random: Prng, shape: FlowShape): Waits {
  const waits = signals(random, shape);
  const events = eventsFor(random, waits, shape);
  const crossing = random.chance(0.4) ? crossingOf(random, shape) : { waits: [], events: [], lateEvents: [] };
  return {
    waits: [...waits, ...signOffs(random, shape), ...crossing.waits],
    events: [...events, ...crossing.events],
    lateEvents: crossing.lateEvents,
  };
}

/** Some steps wait for a signal of their own. */
export function withSignals(random: Prng, flow: PlannedFlow): PlannedFlow {
  const isSimple = ({ inner, fanOut, loop }: PlannedStep) => !inner && !fanOut && !loop;
  const signalOf = (step: PlannedStep): PlannedStep => ({
    ...step,
    definition: 'signal',
    scripts: step.scripts.map((script) => ({ ...script, key: script.owner })),
  });
  return { ...flow, steps: flow.steps.map((s) => (isSimple(s) && random.chance(0.12) ? signalOf(s) : s)) };
}

/** Mostly while the workflow runs. */
export function eventsOfSteps(random: Prng, { at, flow }: SubmittedFlow, { leaseMs }: FlowShape): PlannedEvent[] {
  return flow.steps.flatMap(({ definition, scripts: [script] }) => {
    if (definition !== 'signal' || !script?.key || random.chance(0.15)) return [];
    const ms = random.chance(0.5) ? random.between(0, 400) : random.between(0, 1.5 * leaseMs);
    return [{ name: `event of ${script.key}`, at: at + ms, key: script.key, keepMs: HOUR_MS }];
  });
}
