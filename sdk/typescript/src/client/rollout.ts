/** Converts settings of a roll-out to the message of the contract. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '../duration.ts';
import type { RolloutSettings } from '../gen/muster/v1/rollout_pb.ts';
import { RolloutSettingsSchema } from '../gen/muster/v1/rollout_pb.ts';
import { refuseUnknownFields } from '../options/known-fields.ts';
import type { Known } from '../options/known-options.ts';
import { refuseUnknownOptions, within } from '../options/known-options.ts';
import type { RequestOptions } from './calls.ts';
import { requestOptions } from './calls.ts';

/** A step of a roll-out. */
export interface RolloutStepOptions {
  /** Percentage of the new jobs that take the new version. From 0 to 100; each step has more than the one before. */
  readonly percent: number;
  /**
   * How long the step lasts at least, in milliseconds. From 1 s to 30 days. Default: until `updateRollout` or
   * `promoteRollout`.
   */
  readonly holdMs?: number;
}

/** A step as options or as the message of the contract. */
type StepInit = NonNullable<RolloutInit['steps']>[number];

const stepOptions: Known<RolloutStepOptions> & { readonly hold: true } = { percent: true, holdMs: true, hold: true };

/** How a new version of a definition takes the place of the one before it. */
export interface RolloutOptions {
  /** The steps in their order. From 1 to 20. After the last one with a hold, the version is promoted. */
  readonly steps: readonly RolloutStepOptions[];
  /** Jobs with all of these labels take the new version, whatever the percentage. At most 8. Default: none do. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Jobs of the new version that must have ended before it is judged, and before a next step. Default: 20. */
  readonly minJobCount?: number;
  /**
   * The version is rolled back when the fraction of its jobs that fail exceeds that of the other version by more than
   * this. From 0 to 1; 1: never. Default: 0.1.
   */
  readonly maxFailureIncrease?: number;
}

/** Options, or the message of the contract. */
export type RolloutInit = RolloutOptions | MessageInitShape<typeof RolloutSettingsSchema>;

/** Options for storing a definition. */
export interface ApplyOptions extends RequestOptions {
  /** The roll-out of a new version; ignored if there is none. Default: all new jobs take the new version. */
  readonly rollout?: RolloutInit;
}

export const applyOptions: Known<ApplyOptions> = { ...requestOptions, rollout: true };

/** Selects a roll-out of a definition. */
export interface RolloutRef {
  /** The version. Default: the newest one that has a roll-out. */
  readonly version?: number;
}

export const rolloutOptions: Known<RolloutRef & RequestOptions> = { ...requestOptions, version: true };

/**
 * @param where Where it is in the call, for errors.
 * @throws TypeError when a field is unknown; RangeError when a hold is negative.
 */
export function rolloutSettings(init: RolloutInit, where: string): RolloutSettings {
  refuseUnknownFields(where, RolloutSettingsSchema, init, { steps: true });
  if ('$typeName' in init) return create(RolloutSettingsSchema, init);
  const { steps = [], ...same } = init;
  const converted = steps.map((step, i) => stepOf(step, `${within(where, 'steps')}[${i}]`));
  return create(RolloutSettingsSchema, { ...same, steps: converted });
}

function stepOf(step: StepInit, where: string) {
  if (!('$typeName' in step)) refuseUnknownOptions(where, step, stepOptions);
  if (!('holdMs' in step)) return step;
  const { percent, holdMs } = step;
  return holdMs === undefined ? { percent } : { percent, hold: durationFromMs(holdMs) };
}
