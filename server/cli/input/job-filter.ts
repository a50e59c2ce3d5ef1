/** Options that select jobs, the same for all commands that take many. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { type JobFilterSchema, type JobState, JobStateSchema } from '@muster-jobs/sdk/grpc';
import { type Command, InvalidArgumentError } from 'commander';
import { label } from './labels.ts';
import { repeated } from './numbers.ts';
import { timeOrAge } from './spans.ts';

export interface FilterOptions {
  readonly state?: readonly JobState[];
  readonly definition?: string;
  readonly queue?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly since?: Date;
  readonly until?: Date;
  readonly failureType?: readonly string[];
  readonly late?: true;
}

const STATES = JobStateSchema.values.filter(({ number }) => number !== 0);

/** Names of states, in upper or lower case, separated by commas. */
export function states(text: string, before: readonly JobState[] = []): JobState[] {
  const found = text.split(',').map((name) => {
    const state = STATES.find(({ localName }) => localName === name.trim().toUpperCase());
    if (state !== undefined) return state.number as JobState;
    throw new InvalidArgumentError(
      `There is no state "${name}". States: ${STATES.map(({ localName }) => localName).join(', ')}.`,
    );
  });
  return [...before, ...found];
}

export function addFilterOptions(command: Command): Command {
  return command
    .option(
      '--state <state>',
      'only jobs in this state, such as READY or FAILED; several with commas, or repeated',
      states,
    )
    .option('--definition <name>', 'only jobs of this definition')
    .option('--queue <name>', 'only jobs of this queue')
    .option('--label <key=value>', 'only jobs with this label; may be repeated, all must match', label)
    .option('--since <time>', 'only jobs created at or after this time, or at most this long ago: 2h, 7d', timeOrAge)
    .option('--until <time>', 'only jobs created before this time, or longer ago than this', timeOrAge)
    .option('--late', 'only jobs that have missed their soft deadline');
}

export function addFailureType(command: Command): Command {
  return command.option('--failure-type <type>', 'only jobs that failed with this type; may be repeated', repeated);
}

/** Whether no condition was given: then all jobs of the namespace match. */
export function isEmptyFilter(options: FilterOptions): boolean {
  const { state, definition, queue, label: labels, since, until, failureType, late } = options;
  return [state, definition, queue, labels, since, until, failureType, late].every((one) => one === undefined);
}

export function toJobFilter(options: FilterOptions): MessageInitShape<typeof JobFilterSchema> {
  return {
    states: [...(options.state ?? [])],
    definition: options.definition ?? '',
    queue: options.queue ?? '',
    labels: { ...options.label },
    failureTypes: [...(options.failureType ?? [])],
    softDeadlineMissed: options.late ?? false,
    ...(options.since ? { minCreateTime: timestampFromDate(options.since) } : {}),
    ...(options.until ? { maxCreateTime: timestampFromDate(options.until) } : {}),
  };
}
