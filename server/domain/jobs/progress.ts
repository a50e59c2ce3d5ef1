/** Progress that a handler reports, and when it may be complete. */

/** Units that a handler counts. */
export interface ProgressCounts {
  readonly done: number;
  /** Undefined: not known. */
  readonly total: number | undefined;
  /** Empty: not said. */
  readonly unit: string;
}

/** The latest counts of an attempt, with its first one. */
export interface StoredCounts extends ProgressCounts {
  readonly timeUs: number;
  readonly first: { readonly done: number; readonly timeUs: number };
}

export interface Progress {
  /** From 0 to 1. */
  readonly fraction: number;
  readonly message: string;
  /** Undefined: it counts nothing. */
  readonly counts?: StoredCounts | undefined;
}

export function fractionOf({ done, total }: Pick<ProgressCounts, 'done' | 'total'>): number | undefined {
  if (total === undefined) return undefined;
  return total === 0 ? 1 : Math.min(1, done / total);
}

/** When all units are done at the pace from the first count to the latest. Undefined if there is no pace yet. */
export function estimatedEndUs({ done, total, timeUs, first }: StoredCounts): number | undefined {
  if (total === undefined || done >= total || done <= first.done || timeUs <= first.timeUs) return undefined;
  const perUnitUs = (timeUs - first.timeUs) / (done - first.done);
  return Math.round(timeUs + (total - done) * perUnitUs);
}
