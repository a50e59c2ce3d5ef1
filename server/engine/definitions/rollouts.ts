/** Shows and changes roll-outs. `rollout-rounds.ts` judges them. */
import type { RolloutSettings, rolloutStates } from '../../domain/definitions/rollout.ts';
import { retryCollisions } from '../base/collisions.ts';
import type { DbClock } from '../base/db-clock.ts';
import { asEngineError, EngineError } from '../base/errors.ts';
import { once } from '../base/requests.ts';
import type { Rollout, RolloutName, RolloutPage } from '../ports/definitions.ts';
import type { Random, Timers } from '../ports/ports.ts';
import type { RequestKey, Store } from '../ports/store.ts';

export interface RolloutsParts {
  readonly store: Pick<Store, 'rollouts' | 'together'>;
  readonly clock: Pick<DbClock, 'nowUs'>;
  readonly timers: Timers;
  readonly random: Random;
}

/** Each method rejects with an EngineError: ROLLOUT_NOT_FOUND, and the errors of its RPC. */
export class Rollouts {
  readonly #parts: RolloutsParts;

  constructor(parts: RolloutsParts) {
    this.#parts = parts;
  }

  async get(name: RolloutName): Promise<Rollout> {
    const found = await this.#parts.store.rollouts.read(name);
    if (!found) throw notFound(name);
    return found;
  }

  /** Undefined: the version has none. */
  find(name: RolloutName): Promise<Rollout | undefined> {
    return this.#parts.store.rollouts.read(name);
  }

  list(namespace: string, after: Omit<RolloutName, 'namespace'> | undefined, limit: number): Promise<RolloutPage> {
    return this.#parts.store.rollouts.list(namespace, after, limit);
  }

  /** Replaces the settings, and begins with their first step. */
  update(name: RolloutName, settings: RolloutSettings, request: RequestKey | undefined): Promise<Rollout> {
    const stepTimeUs = this.#parts.clock.nowUs();
    return this.#change(name, request, 'OPEN', (rollout) => ({ ...rollout, settings, step: 0, stepTimeUs }));
  }

  promote(name: RolloutName, request: RequestKey | undefined): Promise<Rollout> {
    const state = 'PROMOTED';
    return this.#change(name, request, state, (rollout) => ({ ...rollout, state, reason: 'by hand' }));
  }

  rollBack(name: RolloutName, reason: string, request: RequestKey | undefined): Promise<Rollout> {
    const state = 'ROLLED_BACK';
    return this.#change(name, request, state, (rollout) => ({ ...rollout, state, reason: reason || 'by hand' }));
  }

  /** A roll-out that is in the wanted end state already stays as it is. */
  async #change(
    name: RolloutName,
    request: RequestKey | undefined,
    wanted: keyof typeof rolloutStates,
    change: (rollout: Rollout) => Rollout,
  ): Promise<Rollout> {
    const { store } = this.#parts;
    const work = async ({ rollouts }: Pick<Store, 'rollouts'>) => {
      const rollout = await rollouts.lock(name);
      if (!rollout) throw notFound(name);
      if (rollout.state === 'OPEN') return rollouts.write(change(rollout));
      if (rollout.state === wanted) return rollout;
      throw ended(rollout);
    };
    try {
      const done = await retryCollisions(this.#parts, () =>
        store.together((tx) => once(tx, name.namespace, request, work)),
      );
      return done.repeated ? await this.get(name) : done.value;
    } catch (error) {
      throw asEngineError(error);
    }
  }
}

function notFound({ namespace, definition, version }: RolloutName): EngineError {
  const which = version === 0 ? `definition ${definition}` : `version ${version} of definition ${definition}`;
  return new EngineError(
    'ROLLOUT_NOT_FOUND',
    `namespace ${namespace} has no roll-out of ${which}; ApplyJobDefinition begins one, ListRollouts shows the existing ones`,
    { metadata: { namespace, definition, version: String(version) } },
  );
}

function ended({ namespace, definition, version, state, reason }: Rollout): EngineError {
  return new EngineError(
    'ROLLOUT_ENDED',
    `the roll-out of version ${version} of ${definition} has ended as ${state}: ${reason}`,
    { metadata: { namespace, definition, version: String(version), state } },
  );
}
