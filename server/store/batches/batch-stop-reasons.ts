/** Stored stop reasons: why a batch takes no more members. */
import type { StopReason } from '../../domain/batches/batch.ts';

export const stopReasonCodes = { NO: 0, FAILED: 1, CANCELLED: 2 } as const satisfies Record<StopReason, number>;

const namesByCode = new Map(
  Object.entries(stopReasonCodes).map(([name, code]) => [code as number, name as StopReason]),
);

export function stopReasonOf(code: number): StopReason {
  return namesByCode.get(code) as StopReason;
}
