/** The lanes known to a replica: their definition, the rank of the first ready job, the cursor of the next claim. */
import type { Demands } from '../../domain/dispatch/demands.ts';
import {
  canonicalDemands,
  cleanupKey,
  fits,
  isPreferred,
  type LaneKey,
  parseDemands,
} from '../../domain/dispatch/placement.ts';
import type { LaneHint } from '../base/messages.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { Store } from '../ports/store.ts';
import { Exhausted } from './exhausted.ts';
import { isExhausted, type KnownLane } from './known-lane.ts';
import { breakerOf, definitionName, keyText, queueName } from './lane-names.ts';
import { type CreditClass, type ForLane, hasWorker, offersSlot } from './unspent-credits.ts';

/** Number of jobs assumed for a hint without one. */
const UNKNOWN_JOBS = 100;

const MAX_UNLIKE = 100;
/** Rounds for which jobs wait for a slot of a session that they prefer. */
const PATIENT_ROUNDS = 3;

/** Remaining rounds (of a second each) for which the lane's jobs wait for a preferred session; 0: they wait no more. */
export const patienceOf = ({ rounds }: KnownLane) => Math.max(0, PATIENT_ROUNDS - rounds);
const isPatient = (lane: KnownLane) => patienceOf(lane) > 0;

/** Whether its claims are for only some of the sessions of a class. */
export function isSingleLane({ needs }: KnownLane): boolean {
  return needs.resources !== undefined || needs.sticky !== undefined;
}

/** The name of the handler that runs a lane's jobs. */
export function handlerOf({ cleanup, definitionBody }: KnownLane): string {
  return (cleanup && definitionBody.cleanup?.handler) || definitionBody.handler;
}

type StoredLanes = Pick<Store, 'ensureLane' | 'findLane' | 'readLanes'>;

export class Lanes {
  readonly #store: StoredLanes;
  readonly #definitions: Definitions;
  #ids = new Map<string, Promise<number>>();
  #learned = new Map<string, number>();
  /** Running lookups of lanes, and running transactions that make lanes. */
  #lookups = new Map<string, Promise<number | undefined>>();
  #making = new Map<string, Promise<unknown>>();
  #lanes = new Map<number, KnownLane>();
  /** The lane for the same jobs with the opposite `suspect` flag, by lane id. */
  #quarantineLanes = new Map<number, number>();
  #cleanups = new Map<number, number>();
  /** The lane for a lane's jobs that ran out of memory, by lane id. */
  #grown = new Map<number, number>();
  /** Lanes of workflows. */
  #workflows = new Set<KnownLane>();
  /** Lanes of jobs that wait for a signal or for a person. */
  #waits = new Set<KnownLane>();
  /** Lanes whose claims are for only some of the sessions of a class. */
  #singleLanes = new Set<KnownLane>();
  #suspects = new Set<KnownLane>();
  /** Lanes that have or had limits. */
  #limited = new Set<KnownLane>();
  /** By lane id: the lane in which its jobs wait at their key's limit, or, for such a lane, the lane they come from. */
  #atLimits = new Map<number, number>();
  /** Lanes that are being loaded. */
  #loading = new Map<number, Promise<void>>();

  constructor(store: StoredLanes, definitions: Definitions) {
    this.#store = store;
    this.#definitions = definitions;
  }

  /** The id of the lane with this key, which is made if missing. `breaker` is the definition's circuit breaker. */
  idOf(key: LaneKey, breaker?: string): Promise<number> {
    const text = keyText(key);
    let id = this.#ids.get(text);
    if (!id) {
      id = this.#store.ensureLane(key, breaker);
      this.#ids.set(text, id);
      id.catch(() => this.#ids.delete(text));
    }
    return id;
  }

  /** The id of the lane with this key; undefined: there is none. */
  async find(key: LaneKey, breaker?: string): Promise<number | undefined> {
    const text = keyText(key);
    const known = this.#ids.get(text);
    if (known) return known;
    let lookup = this.#lookups.get(text);
    if (!lookup) {
      lookup = this.#store.findLane(key, breaker).finally(() => this.#lookups.delete(text));
      this.#lookups.set(text, lookup);
    }
    const laneId = await lookup;
    if (laneId !== undefined) this.learn(key, laneId);
    return laneId;
  }

  /** Remembers a lane that was made. */
  learn(key: LaneKey, laneId: number): void {
    const text = keyText(key);
    if (this.#learned.get(text) === laneId) return;
    this.#ids.set(text, Promise.resolve(laneId));
    this.#learned.set(text, laneId);
  }

  /** The id of the lane with this key, if it is known here. */
  known(key: LaneKey): number | undefined {
    return this.#learned.get(keyText(key));
  }

  /** Registers `work` as the maker of these lanes while it runs. */
  async making<T>(keys: readonly LaneKey[], work: () => Promise<T>): Promise<T> {
    const texts = keys.map(keyText);
    const result = work();
    for (const text of texts) this.#making.set(text, result);
    try {
      return await result;
    } finally {
      for (const text of texts) if (this.#making.get(text) === result) this.#making.delete(text);
    }
  }

  /** Waits for running work that makes one of these lanes, and returns whether there was any. */
  async othersMake(keys: readonly LaneKey[]): Promise<boolean> {
    const makers = new Set(keys.flatMap((key) => this.#making.get(keyText(key)) ?? []));
    await Promise.allSettled(makers);
    return makers.size > 0;
  }

  get(laneId: number): KnownLane | undefined {
    return this.#lanes.get(laneId);
  }

  /** The quarantine lane of a lane, or the lane that a quarantine lane belongs to; undefined until it was found. */
  quarantineLaneOf(lane: KnownLane): number | undefined {
    return this.#quarantineLanes.get(lane.laneId);
  }

  /** Finds or makes that lane. */
  async findQuarantineLane(lane: KnownLane): Promise<void> {
    this.#quarantineLanes.set(lane.laneId, await this.idOf({ ...lane, suspect: !lane.suspect }, breakerOf(lane)));
  }

  /** The lane for clean-up jobs of a lane's jobs; undefined until it was found. */
  cleanupOf(lane: KnownLane): number | undefined {
    return this.#cleanups.get(lane.laneId);
  }

  /** Finds or makes that lane. It has no breaker: clean-up jobs are guaranteed to run. */
  async findCleanup(lane: KnownLane): Promise<void> {
    this.#cleanups.set(lane.laneId, await this.idOf(cleanupKey(lane)));
  }

  /** The lane for a lane's jobs after they ran out of memory; undefined until it was found. */
  grownOf(lane: KnownLane): number | undefined {
    return this.#grown.get(lane.laneId);
  }

  /** Finds or makes that lane, for jobs with these demands. */
  async findGrown(lane: KnownLane, demands: Demands): Promise<void> {
    const key = { ...lane, demands: canonicalDemands(demands), suspect: false };
    this.#grown.set(lane.laneId, await this.idOf(key, breakerOf(lane)));
  }

  /** The lane in which a lane's jobs wait at their key's limit. */
  async atLimitOf(lane: KnownLane): Promise<number> {
    const known = this.#atLimits.get(lane.laneId);
    if (known !== undefined) return known;
    const laneId = await this.idOf({ ...lane, atLimit: true }, breakerOf(lane));
    this.#atLimits.set(lane.laneId, laneId);
    return laneId;
  }

  /** As `atLimitOf`, but undefined until it was found. */
  knownAtLimitOf(laneId: number): number | undefined {
    return this.#atLimits.get(laneId);
  }

  /** The lane that the jobs of an at-limit lane come from; undefined until it was found. */
  openOf(lane: KnownLane): number | undefined {
    return this.#atLimits.get(lane.laneId);
  }

  /** Finds or makes that lane. */
  async findOpen(lane: KnownLane): Promise<void> {
    this.#atLimits.set(lane.laneId, await this.idOf({ ...lane, atLimit: false }, breakerOf(lane)));
  }

  /**
   * Permits were released in these lanes: lanes under the same limits may have capacity. Returns whether any was full.
   */
  free(laneIds: readonly number[]): boolean {
    const given = laneIds.flatMap((laneId) => this.#lanes.get(laneId) ?? []);
    const shared = new Set(given.flatMap((lane) => [queueName(lane), definitionName(lane)]));
    let wasExhausted = false;
    for (const lane of this.#lanes.values()) {
      if (!lane.limited || !(shared.has(queueName(lane)) || shared.has(definitionName(lane)))) continue;
      wasExhausted = lane.exhausted.release() || wasExhausted;
    }
    return wasExhausted;
  }

  /** Ready jobs begin at these ranks or below. Resolves once all of the lanes are known. */
  async hint(hints: readonly LaneHint[]): Promise<void> {
    const unknown = hints.filter((hint) => !this.#lanes.has(hint.laneId));
    if (unknown.length > 0) await this.load(unknown.map((hint) => hint.laneId));
    for (const hint of hints) this.lower(hint);
  }

  /** As `hint`, for a lane that is known; returns false if it is not. */
  lower(hint: LaneHint): boolean {
    const lane = this.#lanes.get(hint.laneId);
    if (!lane) return false;
    if (lane.atLimit) return true;
    for (const claim of lane.claims) claim.lowest = Math.min(claim.lowest, hint.rank);
    lane.waiting += hint.jobs ?? UNKNOWN_JOBS;
    if (lane.head === undefined) lane.rounds = 0;
    lane.head = lane.head === undefined ? hint.rank : Math.min(lane.head, hint.rank);
    lane.cursor = Math.min(lane.cursor, hint.rank);
    if (hint.limited !== undefined) {
      lane.limited = hint.limited;
      lane.exhausted.release();
      if (lane.limited) this.#limited.add(lane);
    }
    return true;
  }

  async load(laneIds: readonly number[]): Promise<void> {
    const missing = laneIds.filter((id) => !this.#lanes.has(id) && !this.#loading.has(id));
    if (missing.length > 0) {
      const work = this.#load(missing).finally(() => {
        for (const id of missing) this.#loading.delete(id);
      });
      for (const id of missing) this.#loading.set(id, work);
    }
    await Promise.all(laneIds.map((id) => this.#loading.get(id)));
  }

  async #load(laneIds: readonly number[]): Promise<void> {
    for (const lane of await this.#store.readLanes(laneIds)) {
      const definition = await this.#definitions.get(lane.namespace, lane.definition, lane.definitionVersion);
      // Without its schemas, which may be large: lanes are never removed from memory.
      const { inputSchema: _, outputSchema: __, ...definitionBody } = definition;
      const known: KnownLane = {
        ...lane,
        definitionBody,
        needs: parseDemands(lane.demands),
        exhausted: new Exhausted(),
        contended: false,
        head: undefined,
        rounds: 0,
        waiting: 0,
        claims: new Set(),
        cursor: Number.MAX_SAFE_INTEGER,
      };
      this.#lanes.set(lane.laneId, known);
      this.learn(lane, lane.laneId);
      if (isSingleLane(known)) this.#singleLanes.add(known);
      if (known.suspect) this.#suspects.add(known);
      if (known.limited) this.#limited.add(known);
      if (definition.workflow) this.#workflows.add(known);
      if (definition.wait) this.#waits.add(known);
    }
  }

  /** Lanes of workflows or of waits with ready jobs, as far as this replica knows. */
  workflowsReady(): KnownLane[] {
    return [...this.#workflows].filter(({ head }) => head !== undefined);
  }

  waitsReady(): KnownLane[] {
    return [...this.#waits].filter(({ head }) => head !== undefined);
  }

  /**
   * Up to `limit` lanes with ready jobs (or with suspects) that sessions of the class can run, lowest heads first. A
   * lane with limits comes alone, unless such lanes are excluded. Lanes of `singleLaneFor` are not included.
   */
  readyFor(creditClass: CreditClass, limit: number, suspect = false, withLimited = true): KnownLane[] {
    const ready: KnownLane[] = [];
    for (const lane of suspect ? this.#suspects : this.#lanes.values()) {
      // A second claim under the same limits would only wait for the first one.
      const isTaken = isExhausted(lane) || (lane.limited && lane.claims.size > 0);
      const isReady = lane.head !== undefined && !isTaken && lane.suspect === suspect && !isSingleLane(lane);
      if (isReady && this.suits(creditClass, lane) && !this.#suitsBetter(creditClass, lane)) ready.push(lane);
    }
    ready.sort((a, b) => (a.head as number) - (b.head as number));
    if (withLimited && ready[0]?.limited) return ready.slice(0, 1);
    return ready.filter((lane) => !lane.limited).slice(0, limit);
  }

  /**
   * The single-lane lane with the lowest head whose jobs take resources that a session of the class may have left, or
   * are sticky to a worker of the class.
   */
  singleLaneFor(creditClass: CreditClass, suspect = false): KnownLane | undefined {
    let first: KnownLane | undefined;
    for (const lane of this.#singleLanes) {
      if (lane.head === undefined || lane.suspect !== suspect) continue;
      if (isExhausted(lane) || lane.claims.size > 0 || lane.head >= (first?.head ?? Number.POSITIVE_INFINITY)) continue;
      if (
        this.suits(creditClass, lane) &&
        !this.#suitsBetter(creditClass, lane) &&
        offersSlot(creditClass, this.permitsOf(creditClass, lane))
      )
        first = lane;
    }
    return first;
  }

  /** Lanes for the class with heads below the rank, including all whose jobs take slots only. At most MAX_UNLIKE. */
  unlikeBelow(rank: number, creditClass: CreditClass): KnownLane[] {
    const below: KnownLane[] = [];
    for (const lanes of [this.#singleLanes, this.#suspects, this.#limited]) {
      for (const lane of lanes) {
        if (lane.head === undefined || lane.head >= rank || isExhausted(lane)) continue;
        // Each is compared with each session before each claim of prefetched jobs, so their number is bounded.
        if (below.length === MAX_UNLIKE) return below;
        if (this.suits(creditClass, lane) && !this.#suitsBetter(creditClass, lane)) below.push(lane);
      }
    }
    return below;
  }

  /** Whether any known lane has claims for only some of the sessions of a class. */
  get hasSingleLanes(): boolean {
    return this.#singleLanes.size > 0;
  }

  /** Restricts the permits of a class to those usable for the lane's jobs. Undefined: all of them. */
  permitsOf(creditClass: CreditClass, lane: KnownLane): ForLane | undefined {
    return isSingleLane(lane) ? { laneId: lane.laneId, worker: this.#workerOf(creditClass, lane) } : undefined;
  }

  /** The worker that the lane's jobs are sticky to, for now. */
  #workerOf(creditClass: CreditClass, lane: KnownLane): string | undefined {
    const { worker, mode } = lane.needs.sticky ?? {};
    if (worker === undefined || mode === 'HARD') return worker;
    const forWorker = { laneId: lane.laneId, worker };
    const isWanted = (one: CreditClass) => (isPatient(lane) ? hasWorker(one, worker) : offersSlot(one, forWorker));
    for (const one of creditClass.all.values()) if (this.suits(one, lane) && isWanted(one)) return worker;
    return undefined;
  }

  /** Whether sessions of another class are preferred by the lane's jobs, and still worth waiting for. */
  #suitsBetter(creditClass: CreditClass, lane: KnownLane): boolean {
    if (lane.needs.preferred === undefined || isPreferred(creditClass.sessionClass, lane.needs)) return false;
    for (const other of creditClass.all.values()) {
      if (other === creditClass || !isPreferred(other.sessionClass, lane.needs) || !this.suits(other, lane)) continue;
      if (isPatient(lane) || offersSlot(other, this.permitsOf(other, lane))) return true;
    }
    return false;
  }

  /** Called each second: counts how long jobs have waited for a preferred session. */
  countRound(): void {
    for (const lane of this.#lanes.values()) if (lane.head !== undefined) lane.rounds++;
  }

  /** Whether sessions of the class can run the lane's jobs. */
  suits({ sessionClass, fit }: CreditClass, lane: KnownLane): boolean {
    let suits = fit.get(lane.laneId);
    if (suits === undefined) {
      suits = fits(sessionClass, lane, handlerOf(lane));
      fit.set(lane.laneId, suits);
    }
    return suits;
  }
}
