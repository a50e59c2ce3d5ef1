/**
 * Rounds of retention, each of bounded work. Days are dropped as a whole. Jobs with a shorter retention than others,
 * and the rest of a day, are deleted in pages.
 */
import { lowestUuid } from '../../domain/base/uuid.ts';
import type { Cleared, RoundBounds } from '../../engine/ports/upkeep.ts';
import type { Database, Session } from '../driver/database.ts';
import { clear, unlessInTheWay } from './clearing.ts';
import {
  EXPIRE_PAGE,
  type Expired,
  type ExpirePage,
  expireLane,
  expirePartition,
  NIL_UUID,
  readShortLanes,
} from './expire-jobs.ts';
import { clearSlice, leftoverTables } from './leftovers.ts';
import { daysBefore, dropDay } from './old-days.ts';
import { DAY_MS, dayName } from './partitions.ts';
import { type RetentionBounds, readRetentionBounds } from './retentions.ts';

/** Max jobs scanned per round, and max pages: a lane with nothing to delete counts as a page. */
const JOBS = 50_000;
const PAGES = 500;
/** Max pages per source and round, so that each source gets its turn. */
const PAGES_PER_SOURCE = 25;
/** Jobs with a shorter retention don't wait for the end of their day. */
const WAITS_FOR_DAY_MS = 2 * DAY_MS;
/** Max slices of each other table per round. */
const SLICES = 64;

/** Jobs scanned in the order of their ids. */
interface Source {
  readonly key: string;
  readonly before: string;
  readonly laneId?: number;
  readonly expire: (session: Session, page: ExpirePage) => Promise<Expired>;
}

interface Budget {
  jobs: number;
  pages: number;
}

export class RetentionRounds {
  readonly #database: Database;
  /** Where a source or a table continues; a missing one begins at its start. */
  #after = new Map<string, string>();
  #blocks = new Map<string, number>();
  #afterLaneId = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** One round. Leaves to the next one what another replica is clearing, or another transaction has locked. */
  async round({ stopped = () => false, latestUs }: RoundBounds): Promise<Cleared> {
    const bounds = await readRetentionBounds(this.#database, latestUs);
    if (!bounds) return { days: 0, jobs: 0, rows: 0, more: false };
    const { dropped, left } = await this.#dropDay(bounds);
    const jobs = await this.#expire(bounds, left, stopped);
    const rows = await this.#clearLeftovers(bounds, stopped);
    // A round that has deleted this much may have been stopped by its bounds.
    const more = dropped > 0 || jobs >= EXPIRE_PAGE || rows >= EXPIRE_PAGE;
    return { days: dropped, jobs, rows, more };
  }

  /** Drops at most one day. `left`: days that have to be scanned. */
  async #dropDay({ nowMs, longestMs }: RetentionBounds): Promise<{ dropped: number; left: string[] }> {
    const cutoffMs = nowMs - longestMs;
    const left: string[] = [];
    for (const dayMs of await daysBefore(this.#database, cutoffMs)) {
      const dropped = await unlessInTheWay(dropDay(this.#database, dayMs, cutoffMs));
      if (dropped === undefined) break;
      if (dropped) return { dropped: 1, left };
      left.push(`jobs_${dayName(dayMs)}`);
    }
    return { dropped: 0, left };
  }

  async #expire(bounds: RetentionBounds, left: readonly string[], stopped: () => boolean): Promise<number> {
    const budget = { jobs: JOBS, pages: PAGES };
    let removed = 0;
    for (const source of await this.#sources(bounds, left)) {
      if (budget.jobs <= 0 || budget.pages <= 0 || stopped()) return removed;
      removed += await this.#scanSource(source, bounds.nowMs, budget);
      this.#afterLaneId = source.laneId ?? this.#afterLaneId;
    }
    this.#afterLaneId = 0;
    return removed;
  }

  async #sources({ nowMs, shortestMs, longestMs }: RetentionBounds, left: readonly string[]): Promise<Source[]> {
    const lanes = await readShortLanes(this.#database, this.#afterLaneId, Math.max(longestMs, WAITS_FOR_DAY_MS));
    return [
      ...['jobs_default', ...left].map((table) => ({
        key: table,
        before: lowestUuid(nowMs - shortestMs),
        expire: (session: Session, page: ExpirePage) => expirePartition(session, table, page),
      })),
      ...lanes.map((lane) => ({
        key: String(lane.laneId),
        laneId: lane.laneId,
        before: lowestUuid(nowMs - lane.keptMs),
        expire: (session: Session, page: ExpirePage) => expireLane(session, lane, page),
      })),
    ];
  }

  async #scanSource({ key, before, expire }: Source, nowMs: number, budget: Budget): Promise<number> {
    let removed = 0;
    for (let page = 0; page < PAGES_PER_SOURCE; page++) {
      const after = this.#after.get(key) ?? NIL_UUID;
      const expired = await clear(this.#database, (session) => expire(session, { after, before, nowMs }));
      if (!expired) return removed;
      removed += expired.jobs;
      budget.jobs -= expired.scanned;
      budget.pages -= 1;
      this.#note(expired.rows);
      if (expired.next === undefined) {
        this.#after.delete(key);
        return removed;
      }
      this.#after.set(key, expired.next);
    }
    return removed;
  }

  async #clearLeftovers({ nowMs, shortestMs }: RetentionBounds, stopped: () => boolean): Promise<number> {
    const given = { young: lowestUuid(nowMs - shortestMs), nowMs };
    let removed = 0;
    for (const table of leftoverTables) {
      for (let slice = 0; slice < SLICES && !stopped(); slice++) {
        const block = this.#blocks.get(table) ?? 0;
        const cleared = await clear(this.#database, (session) => clearSlice(session, table, block, given));
        if (!cleared) break;
        removed += cleared.rows;
        this.#note({ [table]: cleared.rows });
        this.#blocks.set(table, cleared.nextBlock ?? 0);
        if (cleared.nextBlock === undefined) break;
      }
    }
    return removed;
  }

  #note(rows: Readonly<Record<string, number>>): void {
    for (const [table, count] of Object.entries(rows)) if (count > 0) this.#database.noteDeleted?.(table, count);
  }
}
