/** Options for the bounds of a queue's backlog. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, type QueueSchema } from '@muster-jobs/sdk/grpc';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { spanToMs } from '../../domain/base/quantities.ts';
import { integer } from './numbers.ts';

export interface BoundOptions {
  readonly maxBacklog?: number;
  /** In ms; `none` removes it. */
  readonly maxBacklogAge?: number | 'none';
}

const MAX_JOBS = 1_000_000_000;

export function addBounds(command: Command): void {
  const backlog = new Option(
    '--max-backlog <jobs>',
    'ready jobs from which on submissions are refused; 0 for no bound',
  );
  command.addOption(backlog.argParser(integer(0, MAX_JOBS)));
  const age = new Option('--max-backlog-age <span>', 'age of the oldest ready job, likewise; "none" for no bound');
  command.addOption(age.argParser(ageOf));
}

function ageOf(text: string): number | 'none' {
  if (text === 'none') return text;
  const ms = spanToMs(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('It takes a span such as 90s, 5m or 2d, or "none".');
}

/** The fields of a queue that the options set, and their paths for a mask. */
export function boundsOf({ maxBacklog, maxBacklogAge }: BoundOptions) {
  const bounds: MessageInitShape<typeof QueueSchema> = {
    ...(maxBacklog === undefined ? {} : { maxBacklog: BigInt(maxBacklog) }),
    ...(typeof maxBacklogAge === 'number' ? { maxBacklogAge: durationFromMs(maxBacklogAge) } : {}),
  };
  const paths: string[] = [];
  if (maxBacklog !== undefined) paths.push('max_backlog');
  if (maxBacklogAge !== undefined) paths.push('max_backlog_age');
  return { bounds, paths };
}
