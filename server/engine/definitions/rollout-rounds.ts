/** Judges open roll-outs, on any replica: advances to the next step, promotes, or rolls back. */
import { canRun } from '../../domain/definitions/compatibility.ts';
import { decideRollout } from '../../domain/definitions/rollout.ts';
import type { PlacementOffer } from '../../domain/explain/placement-reason.ts';
import type { DbClock } from '../base/db-clock.ts';
import { Loop } from '../loop.ts';
import type { DueRollout, RolloutName } from '../ports/definitions.ts';
import type { Log, Random, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import { readOffers } from '../sessions/offers.ts';
import type { Definitions } from './definitions.ts';

export interface RolloutRoundsParts {
  readonly store: Pick<Store, 'rollouts' | 'together' | 'listOffers'>;
  readonly definitions: Pick<Definitions, 'get'>;
  readonly clock: Pick<DbClock, 'nowUs'>;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
}

/** A roll-out is judged this often, whichever replica does it. */
const EVERY_MS = 2_000;
const ROUND_MS = 1_000;
const MAX_DUE = 100;

export class RolloutRounds {
  readonly #parts: RolloutRoundsParts;
  readonly #loop: Loop;

  constructor(parts: RolloutRoundsParts) {
    this.#parts = parts;
    this.#loop = new Loop({ ...parts, name: 'roll-outs', everyMs: ROUND_MS, run: () => this.#judgeDue() });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #judgeDue(): Promise<number | undefined> {
    const { store, clock, log } = this.#parts;
    const due = await store.rollouts.findDue(clock.nowUs(), EVERY_MS, MAX_DUE);
    let hasFailed = false;
    for (const [namespace, names] of Map.groupBy(due, (name) => name.namespace)) {
      const offers = await readOffers(store, namespace);
      for (const name of names) {
        if (this.#loop.isStopped) return undefined;
        try {
          await this.#judge(name, offers);
        } catch (error) {
          hasFailed = true;
          log.warn({ ...name, error: String(error) }, 'could not judge a roll-out; it is tried again');
        }
      }
    }
    return due.length === MAX_DUE && !hasFailed ? 0 : undefined;
  }

  async #judge(name: DueRollout, offers: readonly PlacementOffer[]): Promise<void> {
    const { store, clock, log } = this.#parts;
    const served = await this.#isServed(name, offers);
    const baseServed = await this.#isServed({ ...name, version: name.baseVersion }, offers);
    const judged = await store.together(async ({ rollouts }) => {
      const locked = await rollouts.lockDue(name, clock.nowUs(), EVERY_MS);
      if (!locked) return undefined;
      const { rollout, nowUs } = locked;
      const compared = await rollouts.compare(rollout);
      const decision = decideRollout(rollout, { nowUs, served, baseServed, ...compared });
      return rollouts.write({ ...rollout, ...decision, ...compared, checkTimeUs: nowUs });
    });
    if (!judged || judged.state === 'OPEN') return;
    const facts = { namespace: name.namespace, definition: name.definition, version: name.version };
    const what = judged.state === 'PROMOTED' ? 'a version was rolled out' : 'a version was rolled back';
    log.warn({ ...facts, reason: judged.reason }, what);
  }

  /** No worker runs workflows and waits. */
  async #isServed(
    { namespace, definition: name, version }: RolloutName,
    offers: readonly PlacementOffer[],
  ): Promise<boolean> {
    const definition = await this.#parts.definitions.get(namespace, name, version);
    return Boolean(definition.workflow || definition.wait) || offers.some((offer) => canRun(offer, definition));
  }
}
