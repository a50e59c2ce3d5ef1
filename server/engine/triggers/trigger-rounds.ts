/** Advances triggers by what has happened for them, on any replica. */
import { CauseJudge } from '../../domain/triggers/cause-expressions.ts';
import type { Announcer } from '../announcer.ts';
import type { DbClock } from '../base/db-clock.ts';
import { killPoint } from '../base/kill-points.ts';
import { Loop } from '../loop.ts';
import type { Log, Random, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import { advanceStored } from './advance-stored.ts';

export interface TriggerRoundsParts {
  readonly store: Pick<Store, 'triggers' | 'together'>;
  readonly clock: Pick<DbClock, 'nowUs'>;
  readonly maxInput: number;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  readonly announcer: Pick<Announcer, 'committed'>;
}

/** What happened at other replicas is seen within this time. */
const POLL_MS = 1_000;
/** From the end of a job to the round that looks whether a trigger is about it. */
const AFTER_END_MS = 10;
const MAX_TRIGGERS = 100;
/** Pages of causes of one trigger in a row, before others have their turn. */
const MAX_PAGES = 20;

export class TriggerRounds {
  readonly #parts: TriggerRoundsParts;
  readonly #loop: Loop;
  #watchesJobs = false;
  readonly #judge = new CauseJudge();

  constructor(parts: TriggerRoundsParts) {
    this.#parts = parts;
    this.#loop = new Loop({ ...parts, name: 'triggers', everyMs: POLL_MS, run: () => this.#advanceAll() });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** There may be new causes. */
  wake(): void {
    this.#loop.wake();
  }

  /** Jobs have ended. */
  jobsEnded(): void {
    if (this.#watchesJobs) this.#loop.wake(AFTER_END_MS);
  }

  async #advanceAll(): Promise<number | undefined> {
    const { triggers } = this.#parts.store;
    let isMore = false;
    let after: string | undefined;
    do {
      const { triggerIds, watchesJobs } = await triggers.findCaused(after, MAX_TRIGGERS);
      this.#watchesJobs = watchesJobs;
      for (const triggerId of triggerIds) isMore = (await this.#advanceOrNote(triggerId)) || isMore;
      after = triggerIds.length < MAX_TRIGGERS ? undefined : triggerIds.at(-1);
    } while (after !== undefined && !this.#loop.isStopped);
    return isMore ? 0 : undefined;
  }

  /** One that fails does not hold up the others; the next round tries it again. */
  async #advanceOrNote(triggerId: string): Promise<boolean> {
    try {
      return await this.#advance(triggerId);
    } catch (error) {
      this.#parts.log.warn({ trigger_id: triggerId, error: String(error) }, 'could not advance a trigger');
      return false;
    }
  }

  /** Resolves with whether there may be more new causes. */
  async #advance(triggerId: string): Promise<boolean> {
    const { store, clock, maxInput, log } = this.#parts;
    let fired = 0;
    let isMore = true;
    for (let page = 0; page < MAX_PAGES && isMore && !this.#loop.isStopped; page++) {
      const parts = { judge: this.#judge, maxInput, ownUs: clock.nowUs() };
      const advanced = await advanceStored(store, triggerId, parts);
      ({ isMore } = advanced);
      fired += advanced.fired;
      if (advanced.trimmed > 0)
        log.warn(
          { trigger_id: triggerId, dropped: advanced.trimmed },
          'a trigger holds too much; its oldest causes were dropped',
        );
    }
    if (fired > 0) killPoint('triggers.after_advance_before_start');
    if (fired > 0) this.#parts.announcer.committed({ scheduleRuns: true });
    return isMore;
  }
}
