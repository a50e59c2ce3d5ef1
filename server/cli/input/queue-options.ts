/** Options for the limits and weights of a queue. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, type QueueSchema, type RateLimitSchema } from '@muster-jobs/sdk/grpc';
import { type Command, InvalidArgumentError } from 'commander';
import { spanToMs } from '../../domain/base/quantities.ts';
import { CliError } from '../failures/cli-error.ts';
import { integer } from './numbers.ts';
import { addBounds, type BoundOptions, boundsOf } from './queue-bounds.ts';

/** Null removes the rate. */
type Rate = MessageInitShape<typeof RateLimitSchema> | null;

export interface QueueOptions extends BoundOptions {
  readonly description?: string;
  readonly maxConcurrency?: number;
  readonly rate?: Rate;
  /** False for `--no-weights`: no weights. */
  readonly weights?: boolean;
  readonly weight?: Readonly<Record<string, number>>;
}

const MAX_UNITS = 1_000_000;
const RATE = /^(\d+)(?:\/([^:]+))?(?::(\d+))?$/;

export function rate(text: string): Rate {
  if (text === 'none') return null;
  const [, units = '', period, burst] = RATE.exec(text) ?? [];
  const ms = period === undefined ? 1_000 : spanToMs(period);
  if (units === '' || ms === undefined)
    throw new InvalidArgumentError('It takes UNITS[/PERIOD][:BURST] such as 100/1m:20, or none.');
  const isUnits = (number: string) => Number(number) >= 1 && Number(number) <= MAX_UNITS;
  if (!isUnits(units) || (burst !== undefined && !isUnits(burst)))
    throw new InvalidArgumentError('It takes from 1 to 1000000 units, and as many for the burst.');
  return { units: Number(units), period: durationFromMs(ms), burst: Number(burst ?? 0) };
}

/** The last `=` ends the key: keys may contain `=`. */
export function weight(text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> {
  const at = text.lastIndexOf('=');
  const value = Number(text.slice(at + 1));
  if (at < 1 || !/^\d*\.?\d+$/.test(text.slice(at + 1)) || value < 0.01 || value > 100)
    throw new InvalidArgumentError('It takes KEY=W, with a weight W from 0.01 to 100.');
  const key = text.slice(0, at);
  if (Object.hasOwn(before, key)) throw new InvalidArgumentError(`The key "${key}" is given twice.`);
  return Object.fromEntries([...Object.entries(before), [key, value]]);
}

export function addLimitOptions(command: Command): Command {
  addBounds(command);
  return command
    .option('--max-concurrency <number>', 'jobs of it that workers may hold at once; 0: no limit', integer(0, 100_000))
    .option(
      '--rate <rate>',
      'attempts that may be assigned: UNITS[/PERIOD][:BURST], such as 100/1m:20, or none (default period: 1s; default burst: UNITS)',
      rate,
    )
    .option('--weight <key=w>', 'share of a fairness key, from 0.01 to 100 (default: 1); may be repeated', weight);
}

/** The fields that the options set, and their values. */
export function queueFields(options: QueueOptions): {
  readonly paths: string[];
  readonly fields: Exclude<MessageInitShape<typeof QueueSchema>, { $typeName: string }>;
} {
  const { description, maxConcurrency, rate: rateLimit, weight: weights } = options;
  const clears = options.weights === false;
  if (clears && weights !== undefined) throw new CliError({ message: 'give either --weight or --no-weights' });
  const { bounds, paths: boundPaths } = boundsOf(options);
  const paths = Object.entries({
    description: description !== undefined,
    max_concurrency: maxConcurrency !== undefined,
    rate_limit: rateLimit !== undefined,
    fairness_weights: clears || weights !== undefined,
  }).flatMap(([path, isGiven]) => (isGiven ? [path] : []));
  return {
    paths: [...paths, ...boundPaths],
    fields: {
      description: description ?? '',
      maxConcurrency: maxConcurrency ?? 0,
      ...(rateLimit ? { rateLimit } : {}),
      fairnessWeights: { ...weights },
      ...bounds,
    },
  };
}
