/** Why the jobs of each queue wait, for monitoring: from counts by lane, without reading any job. */
import type { Offer } from '../../domain/definitions/compatibility.ts';
import { headroomOf } from '../../domain/dispatch/limits.ts';
import { ableOf } from '../../domain/explain/placement-reason.ts';
import { type CountedReason, countedAs } from '../../domain/explain/wait-reasons.ts';
import type { KnownLane } from '../dispatch/known-lane.ts';
import { handlerOf, type Lanes } from '../dispatch/lanes.ts';
import type { Limits } from '../dispatch/limits.ts';
import type { WaitingLane } from '../ports/explanations.ts';
import type { Store } from '../ports/store.ts';
import type { CountedReasons } from '../ports/vitals.ts';
import { readOffers } from '../sessions/offers.ts';

/** Max lanes read, those with most waiting jobs first. */
const MAX_LANES = 1_000;
/**
 * Max namespaces whose sessions are compared with their lanes; other namespaces are never reported as without workers.
 */
const MAX_NAMESPACES = 20;
/** Max pairs of a queue and a definition whose limits are read. */
const MAX_LIMITED = 20;

export interface BacklogReasonsParts {
  readonly store: Pick<Store, 'explain' | 'listOffers'>;
  readonly lanes: Pick<Lanes, 'load' | 'get'>;
  readonly limits: Pick<Limits, 'laneOf'>;
}

/** A lane with its count of waiting jobs. */
interface Counted extends WaitingLane {
  readonly lane: KnownLane;
}

export class BacklogReasons {
  readonly #parts: BacklogReasonsParts;

  constructor(parts: BacklogReasonsParts) {
    this.#parts = parts;
  }

  /** Bounded by MAX_LANES, MAX_NAMESPACES and MAX_LIMITED, so that its cost fits periodic reads. */
  async read(): Promise<CountedReasons[]> {
    const { store, lanes } = this.#parts;
    const waiting = await store.explain.readWaitingLanes(MAX_LANES);
    await lanes.load(waiting.flatMap(({ laneId }) => (lanes.get(laneId) ? [] : laneId)));
    const counted = waiting.flatMap((one) => {
      const lane = lanes.get(one.laneId);
      return lane ? { ...one, lane } : [];
    });
    const inDoubt = counted.filter(({ ready, gate }) => ready > 0 && gate === undefined);
    const limits = await this.#limitsOf(inDoubt.filter(({ limited }) => limited));
    const offers = await this.#offersOf(inDoubt);
    return summed(counted, (one) => one.gate ?? limits.get(pairOf(one)) ?? whyInLine(one, offers));
  }

  /** By pair of queue and definition, for pairs without capacity. */
  async #limitsOf(counted: readonly Counted[]): Promise<Map<string, CountedReason>> {
    const reasons = new Map<string, CountedReason>();
    const pairs = new Map(counted.map((one) => [pairOf(one), one.lane]));
    for (const [pair, lane] of [...pairs].slice(0, MAX_LIMITED)) {
      const query = { ...this.#parts.limits.laneOf(lane), limitId: undefined };
      const { limits, nowUs } = await this.#parts.store.explain.readLimits(query);
      const full = limits.find(({ capacity, cost }) => headroomOf(capacity, cost, nowUs).jobs === 0);
      if (full) reasons.set(pair, countedAs(full.reason));
    }
    return reasons;
  }

  async #offersOf(counted: readonly Counted[]): Promise<Map<string, Offer[]>> {
    const namespaces = [...new Set(counted.map(({ lane }) => lane.namespace))].slice(0, MAX_NAMESPACES);
    const offers = new Map<string, Offer[]>();
    for (const namespace of namespaces) offers.set(namespace, await readOffers(this.#parts.store, namespace));
    return offers;
  }
}

/** Clean-up jobs are a pair of their own: neither gates nor limits apply to them. */
function pairOf({ lane: { namespace, queue, definition, cleanup = false } }: Counted): string {
  return JSON.stringify([namespace, queue, definition, cleanup]);
}

function whyInLine({ lane }: Counted, offers: ReadonlyMap<string, readonly Offer[]>): CountedReason {
  // These are not run by workers.
  if (lane.definitionBody.workflow || lane.definitionBody.wait) return 'in_line';
  const open = offers.get(lane.namespace);
  if (open && ableOf(open, lane, handlerOf(lane)).length === 0) return 'no_worker';
  return lane.suspect ? 'suspect' : 'in_line';
}

function summed(counted: readonly Counted[], whyReady: (one: Counted) => CountedReason): CountedReasons[] {
  const sums = new Map<string, CountedReasons>();
  const add = ({ lane }: Counted, reason: CountedReason, jobs: number) => {
    if (jobs <= 0) return;
    const [namespace, name] = [lane.namespace, lane.queue];
    const key = `${namespace}/${name}/${reason}`;
    sums.set(key, { namespace, name, reason, jobs: (sums.get(key)?.jobs ?? 0) + jobs });
  };
  for (const one of counted) {
    add(one, 'time', one.scheduled);
    add(one, 'job_paused', one.paused);
    add(one, 'dependency', one.blocked);
    if (one.ready > 0) add(one, whyReady(one), one.ready);
  }
  return [...sums.values()];
}
