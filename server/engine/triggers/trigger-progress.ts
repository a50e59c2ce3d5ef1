/** Explains what triggers wait for. */
import { type Cause, type Condition, causesOf, causeText, heldAt, missingOf } from '../../domain/triggers/condition.ts';
import type { DbClock } from '../base/db-clock.ts';
import type { Schedule } from '../ports/schedules.ts';
import type { Store } from '../ports/store.ts';
import type { ProgressRow } from '../ports/triggers.ts';

/** Of one key. Times are in µs since 1970. */
export interface KeyProgress {
  readonly key: string;
  readonly held: readonly {
    readonly number: number;
    readonly text: string;
    readonly timeUs: number;
    readonly count: number;
  }[];
  readonly missing: readonly string[];
  readonly sinceUs: number;
  readonly expireUs: number;
}

export interface ProgressPage {
  readonly progress: readonly KeyProgress[];
  /** Where nothing has happened yet. */
  readonly missing: readonly string[];
  /** Set if there are more. */
  readonly lastKey: string | undefined;
}

/** A page ends with the key that reaches this: an answer has to fit into the 4 MiB that clients accept. */
const PAGE_BYTES = 2 << 20;

export class TriggerProgress {
  readonly #store: { readonly triggers: Pick<Store['triggers'], 'readProgress'> };

  readonly #clock: Pick<DbClock, 'nowUs'>;

  constructor(store: Pick<Store, 'triggers'>, clock: Pick<DbClock, 'nowUs'>) {
    this.#store = store;
    this.#clock = clock;
  }

  /** By key, after `afterKey`; up to `limit` keys. */
  async explain({ scheduleId, trigger }: Schedule, afterKey: string | undefined, limit: number): Promise<ProgressPage> {
    const { condition } = trigger as NonNullable<Schedule['trigger']>;
    const rows = await this.#store.triggers.readProgress(scheduleId, afterKey, limit + 1);
    const byKey = [...Map.groupBy(rows, ({ key }) => key).values()];
    const nowUs = this.#clock.nowUs();
    const progress: KeyProgress[] = [];
    let [keys, bytes] = [0, 0];
    for (const some of byKey.slice(0, limit)) {
      if (bytes >= PAGE_BYTES) break;
      keys++;
      const found = progressOf(condition, some, nowUs);
      if (found) progress.push(found);
      bytes += Buffer.byteLength(JSON.stringify(found ?? ''));
    }
    return {
      progress,
      missing: missingOf(condition, new Map()),
      lastKey: byKey.length > keys ? byKey[keys - 1]?.[0]?.key : undefined,
    };
  }
}

/** Undefined: nothing of it counts any more. */
function progressOf(condition: Condition, rows: readonly ProgressRow[], nowUs: number): KeyProgress | undefined {
  const causes = causesOf(condition);
  const held = heldAt(condition, new Map(rows.map(({ number, timeUs }) => [number, timeUs])), nowUs);
  const counting = rows.filter(({ number }) => held.has(number) && causes[number]);
  if (counting.length === 0) return undefined;
  return {
    key: rows[0]?.key ?? '',
    held: counting.map(({ number, timeUs, count }) => ({
      number,
      text: causeText(causes[number] as Cause),
      timeUs,
      count,
    })),
    missing: missingOf(condition, held),
    sinceUs: Math.min(...counting.map(({ timeUs }) => timeUs)),
    expireUs: Math.min(...counting.map(({ expireUs }) => expireUs)),
  };
}
