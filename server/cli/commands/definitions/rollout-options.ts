/** Options for the settings of a roll-out, and their conversion to the message. */
import { create } from '@bufbuild/protobuf';
import { durationFromMs, type RolloutSettings, RolloutSettingsSchema, type RolloutStep } from '@muster-jobs/sdk/grpc';
import { type Command, InvalidArgumentError } from 'commander';
import { spanToMs } from '../../../domain/base/quantities.ts';
import { CliError } from '../../failures/cli-error.ts';
import { label } from '../../input/labels.ts';
import { integer } from '../../input/numbers.ts';

type Steps = RolloutSettings['steps'];

/** Options that both `muster apply` and `muster rollout set` have. */
export interface RolloutRules {
  readonly minJobs?: number;
  readonly maxFailureIncrease?: number;
}

export interface ApplyRolloutOptions extends RolloutRules {
  readonly rollout?: Steps;
  readonly rolloutLabel?: Readonly<Record<string, string>>;
}

export interface SetRolloutOptions extends RolloutRules {
  readonly steps: Steps;
  /** False for `--no-labels`: no labels. */
  readonly labels?: boolean;
  readonly label?: Readonly<Record<string, string>>;
}

const STEPS = 'steps as PERCENT[:HOLD], such as 5:10m,25:1h,100:10m; without a hold, a step lasts until it is changed';

/** `PERCENT[:HOLD],…` with rising percentages. */
export function rolloutSteps(text: string): Steps {
  const { steps } = create(RolloutSettingsSchema, { steps: text.split(',').map(stepOf) });
  if (steps.every(({ percent }, at) => at === 0 || percent > (steps[at - 1] as RolloutStep).percent)) return steps;
  throw new InvalidArgumentError('Each step takes a higher percentage than the one before it.');
}

function stepOf(text: string) {
  const [, percent = '', hold] = /^(\d+)(?::(.*))?$/.exec(text) ?? [];
  const holdMs = hold === undefined ? undefined : spanToMs(hold);
  if (percent === '' || (hold !== undefined && holdMs === undefined))
    throw new InvalidArgumentError('It takes PERCENT[:HOLD],… such as 5:10m,25:1h,100:10m.');
  if (Number(percent) > 100) throw new InvalidArgumentError('It takes percentages from 0 to 100.');
  return { percent: Number(percent), ...(holdMs === undefined ? {} : { hold: durationFromMs(holdMs) }) };
}

export function fraction(text: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value <= 1) return value;
  throw new InvalidArgumentError('It takes a fraction from 0 to 1, such as 0.05.');
}

export function addApplyRolloutOptions(command: Command): Command {
  command
    .option('--rollout <steps>', `roll new versions out step by step: ${STEPS}`, rolloutSteps)
    .option('--rollout-label <key=value>', 'jobs with this label take the new version; may be repeated', label);
  return addRules(command);
}

export function addSetRolloutOptions(command: Command): Command {
  command
    .requiredOption('--steps <steps>', STEPS, rolloutSteps)
    .option('--label <key=value>', 'jobs with this label take the new version; may be repeated', label)
    .option('--no-labels', 'no labels any more');
  return addRules(command);
}

function addRules(command: Command): Command {
  return command
    .option(
      '--min-jobs <number>',
      'jobs of the new version that must have ended before it is judged (default: 20)',
      integer(1, 1_000),
    )
    .option(
      '--max-failure-increase <fraction>',
      'roll back if its failure rate exceeds that of the other version by more; 1: never (default: 0.1)',
      fraction,
    );
}

/** The settings for new versions. Undefined: they are not rolled out step by step. */
export function rolloutOf(options: ApplyRolloutOptions): RolloutSettings | undefined {
  const { rollout: steps, rolloutLabel: labels } = options;
  if (steps) return settingsOf(steps, { ...labels }, options);
  const { minJobs, maxFailureIncrease } = options;
  if ([labels, minJobs, maxFailureIncrease].every((value) => value === undefined)) return undefined;
  throw new CliError({
    message: '--rollout-label, --min-jobs and --max-failure-increase need --rollout',
    next: 'muster apply --help shows examples',
  });
}

/** The new settings: what the options leave out stays as it is. */
export function changedRollout(before: RolloutSettings | undefined, options: SetRolloutOptions): RolloutSettings {
  const { steps, labels, label: given } = options;
  if (labels === false && given) throw new CliError({ message: 'give either --label or --no-labels' });
  const kept = labels === false ? {} : (given ?? before?.labels ?? {});
  return settingsOf(
    steps,
    { ...kept },
    {
      minJobs: options.minJobs ?? before?.minJobCount,
      maxFailureIncrease: options.maxFailureIncrease ?? before?.maxFailureIncrease,
    },
  );
}

function settingsOf(
  steps: Steps,
  labels: Record<string, string>,
  { minJobs = 0, maxFailureIncrease }: { [K in keyof RolloutRules]: RolloutRules[K] | undefined },
): RolloutSettings {
  const increase = maxFailureIncrease === undefined ? {} : { maxFailureIncrease };
  return create(RolloutSettingsSchema, { steps, labels, minJobCount: minJobs, ...increase });
}
