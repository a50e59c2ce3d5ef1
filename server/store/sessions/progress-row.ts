/** The progress of an attempt in a row of its job. */
import type { Progress, StoredCounts } from '../../domain/jobs/progress.ts';
import type { RowType, RowWith } from '../driver/row-types.ts';

const rowType = {
  progress_fraction: 'float8?',
  progress_message: 'text?',
  progress_counts: 'jsonb?',
} satisfies RowType;

/** Undefined: its handler has reported none. */
export function progressOf(row: RowWith<typeof rowType>): Progress | undefined {
  const { progress_fraction: fraction, progress_message: message, progress_counts: counts } = row;
  if (fraction === null && message === null) return undefined;
  return { fraction: fraction ?? 0, message: message ?? '', counts: (counts ?? undefined) as StoredCounts | undefined };
}
