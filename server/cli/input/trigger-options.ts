/** Options for the condition of a trigger, and their conversion to messages. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  durationFromMs,
  isTerminal,
  type JobCauseSchema,
  type JobState,
  JobStateSchema,
  type Trigger,
  type TriggerCauseSchema,
  type TriggerCondition,
  TriggerConditionSchema,
  TriggerSchema,
} from '@muster-jobs/sdk/grpc';
import { type Command, InvalidArgumentError } from 'commander';
import { CliError } from '../failures/cli-error.ts';
import type { DefinitionRef } from './definition-name.ts';
import { states } from './job-filter.ts';
import { repeated } from './numbers.ts';
import { addRepeatedJobOptions, type RepeatedJobOptions, repeatedJobOf } from './schedule-options.ts';
import { span } from './spans.ts';
import { refuseBoth } from './submission.ts';

type JobCauseInit = MessageInitShape<typeof JobCauseSchema>;
type On = NonNullable<MessageInitShape<typeof TriggerCauseSchema>['on']>;

export interface TriggerOptions extends RepeatedJobOptions {
  readonly signal?: readonly string[];
  readonly asset?: readonly string[];
  readonly job?: readonly JobCauseInit[];
  readonly schedule?: readonly string[];
  readonly any?: true;
  readonly within?: number;
  readonly filter?: string;
  readonly key?: string;
  readonly expireAfter?: number;
}

/** `DEFINITION` or `DEFINITION:STATE,STATE`; an option that may be repeated. */
export function endOfJob(text: string, before: readonly JobCauseInit[] = []): JobCauseInit[] {
  const [definition = '', words, ...rest] = text.split(':');
  if (definition === '' || rest.length > 0)
    throw new InvalidArgumentError('It takes DEFINITION or DEFINITION:STATE,STATE.');
  const ends = words === undefined ? [] : states(words);
  if (ends.every(isTerminal)) return [...before, { definition, states: ends }];
  const names = JobStateSchema.values
    .filter(({ number }) => isTerminal(number as JobState))
    .map(({ localName }) => localName);
  throw new InvalidArgumentError(`Behind the colon it takes states of ended jobs: ${names.join(', ')}.`);
}

export function addTriggerOptions(command: Command): Command {
  command
    .option('--signal <name>', 'a signal of this name is sent; may be repeated', repeated)
    .option('--asset <name>', 'this data asset is published; may be repeated', repeated)
    .option(
      '--job <definition[:state,state]>',
      'a job of this definition ends SUCCEEDED, or in one of these states; may be repeated',
      endOfJob,
    )
    .option('--schedule <name>', 'this schedule starts one of its runs; may be repeated', repeated)
    .option('--any', 'one of these is enough (default: all of them must happen)')
    .option('--within <span>', 'all of them must happen within this time of each other (default: any time)', span)
    .option('--filter <expression>', 'which of them count: cause.payload.amount > 100 (default: all)')
    .option('--key <expression>', 'which of them belong together: cause.payload.order (default: all)')
    .option('--expire-after <span>', 'what has happened is dropped after this time without a job (default: 30d)', span);
  return addRepeatedJobOptions(command, 'allow-all');
}

export function toTrigger(name: string, definition: DefinitionRef, options: TriggerOptions): Trigger {
  const { expireAfter } = options;
  return create(TriggerSchema, {
    ...repeatedJobOf(definition, options),
    name,
    condition: conditionOf(options),
    ...(expireAfter === undefined ? {} : { expireAfter: durationFromMs(expireAfter) }),
  });
}

function conditionOf(options: TriggerOptions): TriggerCondition {
  refuseBoth(options, 'any', 'within');
  const { any, within, filter = '', key = '' } = options;
  const conditions = causesOf(options).map((on) =>
    create(TriggerConditionSchema, { kind: { case: 'cause', value: { on, filter, key } } }),
  );
  const [first, ...more] = conditions;
  if (first === undefined)
    throw new CliError({
      message: 'give at least one of --signal, --asset, --job and --schedule',
      next: 'muster triggers set --help shows examples',
    });
  if (any) return create(TriggerConditionSchema, { kind: { case: 'anyOf', value: { conditions } } });
  if (more.length === 0 && within === undefined) return first;
  const all = { conditions, ...(within === undefined ? {} : { within: durationFromMs(within) }) };
  return create(TriggerConditionSchema, { kind: { case: 'allOf', value: all } });
}

function causesOf({ signal = [], asset = [], job = [], schedule = [] }: TriggerOptions): On[] {
  return [
    ...signal.map((name): On => ({ case: 'signal', value: { name } })),
    ...asset.map((name): On => ({ case: 'asset', value: { name } })),
    ...job.map((value): On => ({ case: 'job', value })),
    ...schedule.map((name): On => ({ case: 'schedule', value: { name } })),
  ];
}
