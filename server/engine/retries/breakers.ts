/** Circuit breakers: counts failures of attempts, lists breakers, and closes one on request. */

import {
  type BreakerStatus,
  type CircuitBreaker,
  closed,
  countFailures,
} from '../../domain/retries/circuit-breaker.ts';
import type { Announcer } from '../announcer.ts';
import { Batcher } from '../base/batcher.ts';
import type { DbClock } from '../base/db-clock.ts';
import { EngineError } from '../base/errors.ts';
import { once } from '../base/requests.ts';
import type { KnownLane } from '../dispatch/known-lane.ts';
import type { BreakerKey, BreakerPage, BreakerRow, DecideBreaker } from '../ports/breakers.ts';
import type { Log, Random, Timers } from '../ports/ports.ts';
import type { RequestKey, Store } from '../ports/store.ts';

/** Number of failed attempts that count at the breaker, by lane. */
export type LaneFailures = ReadonlyMap<KnownLane, number>;

export interface BreakersParts {
  readonly store: Pick<Store, 'together' | 'changeBreakers' | 'listBreakers'>;
  readonly dbClock: Pick<DbClock, 'trusted'>;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  readonly announcer: Pick<Announcer, 'committed'>;
}

interface Count extends BreakerKey {
  readonly breaker: CircuitBreaker;
  readonly failures: number;
}

export class Breakers {
  readonly #parts: BreakersParts;
  readonly #counts: Batcher<LaneFailures, undefined>;

  constructor(parts: BreakersParts) {
    this.#parts = parts;
    const { timers, random } = parts;
    this.#counts = new Batcher({
      name: 'failures at circuit breakers',
      flush: async (lists) => {
        await this.#count(lists.flatMap((list) => countsOf(list)));
        return lists.map(() => undefined);
      },
      timers,
      random,
    });
  }

  /**
   * Resolves once they are counted, so a caller that reports the failure that opens a breaker gets its answer after
   * that. Runs in its own transaction after that of the jobs, so that these never wait for a breaker's lock. If a
   * replica dies in between, the count is lost, and a breaker only opens a little later.
   */
  async count(failures: LaneFailures): Promise<void> {
    try {
      await this.#counts.add(failures);
    } catch (error) {
      this.#parts.log.warn({ error: String(error) }, 'failures could not be counted at their circuit breakers');
    }
  }

  list(namespace: string, afterName: string, limit: number): Promise<BreakerPage> {
    return this.#parts.store.listBreakers(namespace, afterName, limit);
  }

  /** Its jobs continue at once. A repeat changes nothing. Throws CIRCUIT_BREAKER_NOT_FOUND, REQUEST_ID_REUSED. */
  async close(key: BreakerKey, request: RequestKey | undefined): Promise<{ breaker: BreakerRow; nowUs: number }> {
    const { store, announcer } = this.#parts;
    const done = await once(store, key.namespace, request, (inner) => changeOne(inner, key, closed));
    const { breaker, heads, nowUs } = done.repeated ? await changeOne(store, key, (now) => now) : done.value;
    announcer.committed({ ready: heads });
    return { breaker, nowUs };
  }

  async #count(counts: readonly Count[]): Promise<void> {
    const byBreaker = Map.groupBy(counts, keyText);
    const opened = new Set<BreakerRow>();
    await this.#parts.store.changeBreakers(
      [...byBreaker.values()].map((list) => list[0] as Count),
      (before, nowUs) => {
        const list = byBreaker.get(keyText(before)) ?? [];
        const after = list.reduce<BreakerStatus>(
          (now, { failures, breaker }) => countFailures(now, failures, breaker, this.#parts.dbClock.trusted(nowUs)),
          before,
        );
        if (after.state !== before.state) opened.add(before);
        return after;
      },
      true,
    );
    for (const { namespace, name } of opened)
      this.#parts.log.warn({ namespace, circuitBreaker: name }, 'a circuit breaker has opened and holds back its jobs');
  }
}

async function changeOne(store: Pick<Store, 'changeBreakers'>, key: BreakerKey, decide: DecideBreaker) {
  const { breakers, ...rest } = await store.changeBreakers([key], decide);
  const [breaker] = breakers;
  if (breaker) return { breaker, ...rest };
  const { namespace, name } = key;
  throw new EngineError(
    'CIRCUIT_BREAKER_NOT_FOUND',
    `namespace ${namespace} has no circuit breaker ${name} that a failure was counted at; ListCircuitBreakers shows the existing ones`,
    { metadata: { namespace, circuit_breaker: name } },
  );
}

function keyText({ namespace, name }: BreakerKey): string {
  return `${namespace}/${name}`;
}

function countsOf(list: LaneFailures): Count[] {
  return Array.from(list).flatMap(([{ namespace, definitionBody }, failures]) => {
    const breaker = definitionBody.circuitBreaker;
    return breaker ? [{ namespace, name: breaker.name, breaker, failures }] : [];
  });
}
