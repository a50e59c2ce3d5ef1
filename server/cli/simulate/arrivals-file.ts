/** A file of arrivals: one JSON object per line. */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { limitsKeys } from '../../tools/simulate/given-keys.ts';
import { type Arrival, MAX_ARRIVALS, MAX_SPAN_MS } from '../../tools/simulate/scenario.ts';
import type { CommandProcess } from '../command-process.ts';
import { CliError } from '../failures/cli-error.ts';
import { nameOf, openInput, unreadable } from '../input/payload-input.ts';
import { arrivalOf, type TimedArrival } from './arrival-line.ts';
import { misfits } from './misfits.ts';
import { Problems } from './problems.ts';
import type { Variant, Variants } from './variants.ts';

const HELP = 'muster simulate --help shows what a line looks like';
const MAX_TEXT = 1024 * 1024;

/** Sorted by time, for all variants. @throws CliError that names lines, fields and reasons. */
export async function readArrivals(
  process: CommandProcess,
  file: string,
  [base, ...changed]: Variants,
): Promise<Arrival[]> {
  const problems = new Problems(nameOf(file), HELP);
  const arrivals: TimedArrival[] = [];
  let number = 0;
  try {
    const input = Readable.from(openInput(process, file));
    const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
    for await (const text of lines) {
      number++;
      if (text.trim() === '') continue;
      if (arrivals.length === MAX_ARRIVALS) throw tooMany(file);
      const arrival = read(number, text, problems);
      if (arrival) arrivals.push(arrival);
      if (problems.isFull) break;
    }
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(file, error);
  }
  for (const { line, field, reason } of misfits(arrivals, base.scenario))
    problems.add(`line ${line}: ${field}`, reason);
  refuseUselessKeys(arrivals, [base, ...changed], problems);
  refuseMixedTimes(arrivals, problems);
  problems.throwIfAny();
  for (const variant of changed) refuseMisfits(file, arrivals, variant);
  if (arrivals.length === 0) throw new CliError({ message: `${nameOf(file)} holds no arrivals`, next: HELP });
  return sorted(file, arrivals);
}

function read(line: number, text: string, problems: Problems): TimedArrival | undefined {
  if (text.length > MAX_TEXT) problems.add(`line ${line}`, 'is longer than 1 MiB');
  else return arrivalOf(line, text, (field, reason) => problems.add(`line ${line}${field && `: ${field}`}`, reason));
  return undefined;
}

function tooMany(file: string): CliError {
  const most = MAX_ARRIVALS.toLocaleString('en-US');
  return new CliError({
    message: `${nameOf(file)} holds more than ${most} arrivals, the maximum of a simulation`,
    next: 'take a shorter time, or one queue of several that share no workers',
  });
}

/** The arrivals fit the original scenario, so a misfit is due to the change. */
function refuseMisfits(file: string, arrivals: readonly Arrival[], { source, scenario }: Variant): void {
  const problems = new Problems(source, 'the arrivals fit the scenario without the change: correct the change');
  for (const { line, field, reason } of misfits(arrivals, scenario))
    problems.add(`line ${line} of ${nameOf(file)}: ${field}`, reason);
  problems.throwIfAny();
}

/**
 * A limit's key that no variant uses is a mistake; a key that only one of two variants uses is the question of the
 * comparison.
 */
function refuseUselessKeys(arrivals: readonly Arrival[], variants: Variants, problems: Problems): void {
  const definitions = variants.flatMap(({ scenario }) => scenario.definitions);
  const limited = new Set(definitions.filter(limitsKeys).map(({ name }) => name));
  const known = new Set(definitions.map(({ name }) => name));
  for (const { line, definition, limitKey } of arrivals)
    if (limitKey && known.has(definition) && !limited.has(definition))
      problems.add(`line ${line}: limitKey`, `definition ${definition} has no keyLimit with a key`);
}

function refuseMixedTimes(arrivals: readonly TimedArrival[], problems: Problems): void {
  const [first] = arrivals;
  const other = arrivals.find(({ isTime }) => isTime !== first?.isTime);
  if (first && other)
    problems.add(
      `line ${other.line}: at`,
      `is ${kindOf(other)}, and that of line ${first.line} ${kindOf(first)}: give one kind`,
    );
}

function kindOf({ isTime }: TimedArrival): string {
  return isTime ? 'a time' : 'a span';
}

/** Calendar times count from the first one. */
function sorted(file: string, arrivals: readonly TimedArrival[]): Arrival[] {
  const inOrder = arrivals.toSorted((a, b) => a.atMs - b.atMs);
  const [first, last] = [inOrder[0] as TimedArrival, inOrder.at(-1) as TimedArrival];
  if (last.atMs - (first.isTime ? first.atMs : 0) > MAX_SPAN_MS)
    throw new CliError({
      message: `${nameOf(file)}: line ${last.line}: at: is more than 31 days after the beginning`,
      next: 'take a shorter time',
    });
  return inOrder.map(({ isTime, ...arrival }) => (isTime ? { ...arrival, atMs: arrival.atMs - first.atMs } : arrival));
}
