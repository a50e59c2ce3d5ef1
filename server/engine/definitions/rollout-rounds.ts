/** Judges open roll-outs, on any replica: advances to the next step, promotes, or rolls back. */
import { canRun } from '../../domain/definitions/compatibility.ts';
import { decideRollout } from '../../domain/definitions/rollout.ts';
import type { DbClock } from '../base/db-clock.ts';
import { Loop } from '../loop.ts';
import type { RolloutName } from '../ports/definitions.ts';
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
    const { store, clock } = this.#parts;
    const due = await store.rollouts.findDue(clock.nowUs(), EVERY_MS, MAX_DUE);
    for (const name of due) if (!this.#loop.isStopped) await this.#judge(name);
    return due.length === MAX_DUE ? 0 : undefined;
  }

  async #judge(name: RolloutName): Promise<void> {
    const { store, clock, log } = this.#parts;
    const served = await this.#isServed(name);
    const judged = await store.together(async ({ rollouts }) => {
      const locked = await rollouts.lockDue(name, clock.nowUs());
      if (!locked) return undefined;
      const { rollout, nowUs } = locked;
      const counts = await rollouts.countEnded(name, rollout.startTimeUs);
      const base = { ...name, version: rollout.baseVersion };
      const baseCounts = await rollouts.countEnded(base, rollout.startTimeUs);
      const decision = decideRollout(rollout, { nowUs, served, counts, baseCounts });
      return rollouts.write({ ...rollout, ...decision, counts, baseCounts, checkTimeUs: nowUs });
    });
    if (!judged || judged.state === 'OPEN') return;
    const facts = { namespace: name.namespace, definition: name.definition, version: name.version };
    const what = judged.state === 'PROMOTED' ? 'a version was rolled out' : 'a version was rolled back';
    log.warn({ ...facts, reason: judged.reason }, what);
  }

  /** No worker runs workflows and waits. */
  async #isServed({ namespace, definition: name, version }: RolloutName): Promise<boolean> {
    const definition = await this.#parts.definitions.get(namespace, name, version);
    if (definition.workflow || definition.wait) return true;
    const offers = await readOffers(this.#parts.store, namespace);
    return offers.some((offer) => canRun(offer, definition));
  }
}
