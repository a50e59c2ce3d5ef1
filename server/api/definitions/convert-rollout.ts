/** Converts roll-outs between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import {
  RolloutSchema,
  RolloutSettingsSchema,
  type Rollout as WireRollout,
  type RolloutSettings as WireSettings,
  type RolloutStep as WireStep,
} from '@muster-jobs/sdk/gen/muster/v1/rollout_pb';
import type { EndedCounts } from '../../domain/base/failure-rates.ts';
import { type RolloutSettings, type RolloutStep, rolloutStates } from '../../domain/definitions/rollout.ts';
import type { Rollout } from '../../engine/ports/definitions.ts';
import { checkLabels, checkRange, durationMs } from '../base/checks.ts';
import { durationTo, timestampTo } from '../base/convert-payload.ts';
import { sortedMap } from '../base/sorted-map.ts';
import type { Violations } from '../base/violations.ts';

const MAX_STEPS = 20;
const MAX_LABELS = 8;
const MAX_JOBS = 1_000;
const THIRTY_DAYS_MS = 30 * 86_400_000;
const usual = { minJobs: 20, maxFailureIncrease: 0.1 };

/** Adds the violations of the settings; if there are any, the result must not be used. */
export function rolloutSettingsFrom(
  wire: WireSettings | undefined,
  field: string,
  violations: Violations,
): RolloutSettings {
  violations.check(wire !== undefined, field, 'is missing');
  const { steps, labels, minJobCount, maxFailureIncrease } = wire ?? create(RolloutSettingsSchema);
  const { length } = steps;
  violations.check(
    wire === undefined || (length > 0 && length <= MAX_STEPS),
    `${field}.steps`,
    `has ${length} entries; from 1 to ${MAX_STEPS} are allowed`,
  );
  checkLabels(labels, MAX_LABELS, `${field}.labels`, violations);
  checkRange(minJobCount, 0, MAX_JOBS, `${field}.min_job_count`, violations);
  const increase = maxFailureIncrease ?? usual.maxFailureIncrease;
  violations.check(
    increase >= 0 && increase <= 1,
    `${field}.max_failure_increase`,
    `is ${increase}; must be from 0 to 1`,
  );
  return {
    steps: stepsFrom(steps.slice(0, MAX_STEPS), `${field}.steps`, violations),
    labels: sortedMap(labels),
    minJobs: minJobCount || usual.minJobs,
    maxFailureIncrease: increase,
  };
}

function stepsFrom(steps: readonly WireStep[], field: string, violations: Violations): RolloutStep[] {
  return steps.map(({ percent, hold }, i) => {
    checkRange(percent, 0, 100, `${field}[${i}].percent`, violations);
    const before = steps[i - 1]?.percent;
    violations.check(
      before === undefined || percent > before,
      `${field}[${i}].percent`,
      `is ${percent}; must be more than the ${before} before it`,
    );
    const holdMs = durationMs(hold, 1_000, THIRTY_DAYS_MS, `${field}[${i}].hold`, violations);
    return holdMs === undefined ? { percent } : { percent, holdMs };
  });
}

function settingsTo({ steps, labels, minJobs, maxFailureIncrease }: RolloutSettings): WireSettings {
  return create(RolloutSettingsSchema, {
    steps: steps.map(({ percent, holdMs }) => ({
      percent,
      ...(holdMs === undefined ? {} : { hold: durationTo(holdMs) }),
    })),
    labels: { ...labels },
    minJobCount: minJobs,
    maxFailureIncrease,
  });
}

const countsTo = ({ ended, failed }: EndedCounts) => ({ endedCount: ended, failedCount: failed });

export function rolloutTo(rollout: Rollout): WireRollout {
  const { endTimeUs, checkTimeUs } = rollout;
  return create(RolloutSchema, {
    namespace: rollout.namespace,
    definition: rollout.definition,
    version: rollout.version,
    baseVersion: rollout.baseVersion,
    settings: settingsTo(rollout.settings),
    state: rolloutStates[rollout.state],
    reason: rollout.reason,
    step: rollout.step,
    stepTime: timestampTo(rollout.stepTimeUs),
    waitsForWorkers: rollout.state === 'OPEN' && !rollout.served,
    counts: { ...countsTo(rollout.counts), retryingCount: rollout.counts.retrying },
    baseCounts: countsTo(rollout.baseCounts),
    startTime: timestampTo(rollout.startTimeUs),
    ...(endTimeUs === undefined ? {} : { endTime: timestampTo(endTimeUs) }),
    ...(checkTimeUs === undefined ? {} : { checkTime: timestampTo(checkTimeUs) }),
  });
}
