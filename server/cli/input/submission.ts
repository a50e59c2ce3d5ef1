/** Options of a submission, and their conversion to the message. */
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import {
  durationFromMs,
  IdempotencyConflictPolicy,
  type JobSubmission,
  JobSubmissionSchema,
} from '@muster-jobs/sdk/grpc';
import { type Command, InvalidArgumentError } from 'commander';
import { CliError } from '../failures/cli-error.ts';
import { amount } from './amounts.ts';
import type { DefinitionRef } from './definition-name.ts';
import { afterAsset, afterJob, afterStep, type DependencyOptions, dependenciesOf } from './dependencies.ts';
import { label } from './labels.ts';
import { integer } from './numbers.ts';
import { type PlacementOptions, placementOf } from './placement.ts';
import { span, time } from './spans.ts';

export interface SubmissionOptions extends PlacementOptions, DependencyOptions {
  readonly queue?: string;
  readonly priority?: number;
  readonly delay?: number;
  readonly runAt?: Date;
  readonly expireIn?: number;
  readonly expireAt?: Date;
  readonly runTimeout?: number;
  readonly softDeadline?: number;
  readonly label?: Readonly<Record<string, string>>;
  readonly fairnessKey?: string;
  readonly idempotencyKey?: string;
  readonly onConflict?: IdempotencyConflictPolicy;
}

const POLICIES: Readonly<Record<string, IdempotencyConflictPolicy>> = {
  fail: IdempotencyConflictPolicy.FAIL,
  'use-existing': IdempotencyConflictPolicy.USE_EXISTING,
  replace: IdempotencyConflictPolicy.REPLACE,
};

function conflictPolicy(text: string): IdempotencyConflictPolicy {
  const policy = Object.hasOwn(POLICIES, text) ? POLICIES[text] : undefined;
  if (policy !== undefined) return policy;
  throw new InvalidArgumentError(`It takes one of ${Object.keys(POLICIES).join(', ')}.`);
}

/** Part of the help of each placement option, except the sticky ones. */
const REPLACES = 'replaces ALL demands of the definition';

export function addSubmissionOptions(command: Command): Command {
  return command
    .option('--queue <name>', "queue to wait in (default: the definition's)")
    .option('--priority <number>', 'from -100 to 100; higher runs sooner', integer(-100, 100))
    .option('--delay <span>', 'not before this long after acceptance: 90s, 15m, 2d', span)
    .option('--run-at <time>', 'not before this time: 2026-05-04T09:30:00Z', time)
    .option('--expire-in <span>', "expires unless it has started within this span, by this machine's clock", span)
    .option('--expire-at <time>', 'expires unless it has started by this time', time)
    .option('--run-timeout <span>', "longest time of an attempt (default: the definition's)", span)
    .option('--soft-deadline <span>', 'should have ended this long after it may run: a miss is an event', span)
    .option('-l, --label <key=value>', 'label, for filters; may be repeated', label)
    .option('--require <key=value>', `label that the worker must have; may be repeated; ${REPLACES}`, label)
    .option('--require-that <expression>', `what must be true of its labels: 'labels.zone in ["a", "b"]'; ${REPLACES}`)
    .option('--prefer <expression>', `an expression over its labels that is preferably true; ${REPLACES}`)
    .option(
      '--demand <name=amount>',
      `amount of a resource that it takes: cpu=2, memory=4Gi; may be repeated; ${REPLACES}`,
      amount,
    )
    .option('--sticky <job>', 'prefers the worker of this job')
    .option('--sticky-hard <job>', 'runs only on the worker of this job')
    .option('--after <job>', 'once this job has succeeded, or JOB:ended, JOB:failed; may be repeated', afterJob)
    .option(
      '--after-step <workflow/step>',
      'once this step of a workflow has succeeded, likewise; may be repeated',
      afterStep,
    )
    .option('--after-asset <name>', 'once this data asset is published again; may be repeated', afterAsset)
    .option('--fairness-key <key>', "key for the fair sharing of its queue (default: the definition's)")
    .option('--idempotency-key <key>', 'a second submission with this key is the same job')
    .option(
      '--on-conflict <policy>',
      'when the key is in use: fail, use-existing or replace (default: use-existing)',
      conflictPolicy,
    );
}

export function toSubmission({ name, version }: DefinitionRef, options: SubmissionOptions): JobSubmission {
  refuseBoth(options, 'delay', 'runAt');
  refuseBoth(options, 'expireIn', 'expireAt');
  refuseBoth(options, 'sticky', 'stickyHard');
  if (options.onConflict !== undefined && options.idempotencyKey === undefined)
    throw new CliError({ message: '--on-conflict needs --idempotency-key' });
  const { priority, runTimeout, softDeadline } = options;
  const expireTime = timeOf(options.expireAt, options.expireIn);
  return create(JobSubmissionSchema, {
    definition: name,
    definitionVersion: version,
    queue: options.queue ?? '',
    labels: { ...options.label },
    fairnessKey: options.fairnessKey ?? '',
    idempotencyKey: options.idempotencyKey ?? '',
    ...(options.onConflict === undefined ? {} : { idempotencyConflictPolicy: options.onConflict }),
    ...(priority === undefined ? {} : { priority }),
    ...startOf(options),
    ...(expireTime === undefined ? {} : { expireTime: timestampFromDate(expireTime) }),
    ...(runTimeout === undefined ? {} : { runTimeout: durationFromMs(runTimeout) }),
    ...(softDeadline === undefined
      ? {}
      : { softDeadline: { due: { case: 'after' as const, value: durationFromMs(softDeadline) } } }),
    ...placementOf(options),
    dependsOn: dependenciesOf(options),
  });
}

function startOf({ delay, runAt }: SubmissionOptions) {
  if (delay !== undefined) return { start: { case: 'delay', value: durationFromMs(delay) } } as const;
  if (runAt !== undefined) return { start: { case: 'runTime', value: timestampFromDate(runAt) } } as const;
  return {};
}

/** An absolute time, or one given as a span from now. */
export function timeOf(at: Date | undefined, inMs: number | undefined): Date | undefined {
  return at ?? (inMs === undefined ? undefined : new Date(Date.now() + inMs));
}

/** @throws CliError if both options were given, of which only one is allowed. */
export function refuseBoth<O extends object>(options: O, one: keyof O & string, other: keyof O & string): void {
  if (options[one] === undefined || options[other] === undefined) return;
  const [first, second] = [one, other].map(
    (name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  );
  throw new CliError({ message: `give either ${first} or ${second}` });
}
