/** Progress of an attempt, from and to the wire. */
import { create } from '@bufbuild/protobuf';
import { ProgressSchema, type Progress as WireProgress } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import {
  estimatedEndUs,
  fractionOf,
  mayRunToItsEnd,
  type Progress,
  type ProgressCounts,
} from '../../domain/jobs/progress.ts';
import { checkProse, counterOf } from '../base/checks.ts';
import { timestampTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';

const [MAX_MESSAGE, MAX_UNIT] = [256, 32];

/** What a worker reports. */
export interface ReportedProgress {
  readonly fraction: number;
  readonly message: string;
  readonly counts: ProgressCounts | undefined;
}

export function progressFrom(wire: WireProgress, path: string, violations: Violations): ReportedProgress {
  const { fraction, message } = wire;
  violations.check(fraction >= 0 && fraction <= 1, `${path}.fraction`, `is ${fraction}; must be from 0 to 1`);
  checkProse(message, MAX_MESSAGE, `${path}.message`, violations);
  const counts = countsFrom(wire, path, violations);
  return { fraction: (counts && fractionOf(counts)) ?? fraction, message, counts };
}

function countsFrom(wire: WireProgress, path: string, violations: Violations): ProgressCounts | undefined {
  const { done, total, unit } = wire;
  checkProse(unit, MAX_UNIT, `${path}.unit`, violations);
  if (done === undefined) {
    violations.check(total === undefined, `${path}.total`, 'needs done: set it, or leave total out');
    violations.check(unit === '', `${path}.unit`, 'needs done: set it, or leave unit out');
    return undefined;
  }
  return {
    done: counterOf(done, `${path}.done`, violations),
    total: total === undefined ? undefined : counterOf(total, `${path}.total`, violations),
    unit,
  };
}

/** @param job Whose progress it is. */
export function progressTo(
  { fraction, message, counts }: Progress,
  job: Parameters<typeof mayRunToItsEnd>[0],
): WireProgress {
  const endTime = counts && mayRunToItsEnd(job) ? timestampTo(estimatedEndUs(counts)) : undefined;
  return create(ProgressSchema, {
    fraction,
    message,
    ...(counts && { done: BigInt(counts.done), unit: counts.unit }),
    ...(counts?.total !== undefined && { total: BigInt(counts.total) }),
    ...(endTime && { estimatedEndTime: endTime }),
  });
}
