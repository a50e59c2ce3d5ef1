/** A file of arrivals: a JSON object a line. */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { type Arrival, handlersOf, MOST_ARRIVALS, MOST_SPAN_MS, type Scenario } from '../../simulate/scenario.ts';
import { CliError } from '../cli-error.ts';
import { nearName } from '../input/near-name.ts';
import { nameOf, openInput, unreadable } from '../input/payload-input.ts';
import { arrivalOf, type TimedArrival } from './arrival-line.ts';
import { Problems } from './problems.ts';

const HELP = 'muster simulate --help shows what a line looks like';
const MOST_TEXT = 1024 * 1024;

/** In the order of their times. @throws CliError that names lines, fields and reasons. */
export async function readArrivals(file: string, scenario: Scenario): Promise<Arrival[]> {
  const problems = new Problems(nameOf(file), HELP);
  const arrivals: TimedArrival[] = [];
  let number = 0;
  try {
    const lines = createInterface({ input: Readable.from(openInput(file)), crlfDelay: Number.POSITIVE_INFINITY });
    for await (const text of lines) {
      number++;
      if (text.trim() === '') continue;
      if (arrivals.length === MOST_ARRIVALS) throw tooMany(file);
      const arrival = read(number, text, problems);
      if (arrival) arrivals.push(arrival);
      if (problems.isFull) break;
    }
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(file, error);
  }
  refuseUnknown(arrivals, scenario, problems);
  refuseMixedTimes(arrivals, problems);
  problems.throwIfAny();
  if (arrivals.length === 0) throw new CliError({ message: `${nameOf(file)} holds no arrivals`, next: HELP });
  return sorted(file, arrivals);
}

function read(line: number, text: string, problems: Problems): TimedArrival | undefined {
  if (text.length > MOST_TEXT) problems.add(`line ${line}`, 'is longer than 1 MiB');
  else return arrivalOf(line, text, (field, reason) => problems.add(`line ${line}${field && `: ${field}`}`, reason));
  return undefined;
}

function tooMany(file: string): CliError {
  const most = MOST_ARRIVALS.toLocaleString('en-US');
  return new CliError({
    message: `${nameOf(file)} holds more than ${most} arrivals, the most that are simulated at once`,
    next: 'take a shorter time, or one queue of several that share no workers',
  });
}

/** A definition that is not there, or that no worker runs. */
function refuseUnknown(arrivals: readonly Arrival[], { definitions, workers }: Scenario, problems: Problems): void {
  const byName = new Map(definitions.map((one) => [String(one.name), one]));
  const told = new Set<string>();
  for (const { line, definition } of arrivals) {
    if (told.has(definition)) continue;
    told.add(definition);
    const found = byName.get(definition);
    const [handler = ''] = found ? handlersOf(found) : [];
    const near = nearName(definition, [...byName.keys()]);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    if (!found) problems.add(`line ${line}: definition`, `the scenario has no ${definition}${hint}`);
    else if (!workers.some(({ handlers }) => handlers?.includes(handler) ?? true))
      problems.add(`line ${line}: definition`, `no worker of the scenario has ${definition}'s handler ${handler}`);
  }
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

/** Times of the calendar count from the first one. */
function sorted(file: string, arrivals: readonly TimedArrival[]): Arrival[] {
  const inOrder = arrivals.toSorted((a, b) => a.atMs - b.atMs);
  const [first, last] = [inOrder[0] as TimedArrival, inOrder.at(-1) as TimedArrival];
  if (last.atMs - (first.isTime ? first.atMs : 0) > MOST_SPAN_MS)
    throw new CliError({
      message: `${nameOf(file)}: line ${last.line}: at: is more than 31 days after the beginning`,
      next: 'take a shorter time',
    });
  return inOrder.map(({ isTime, ...arrival }) => (isTime ? { ...arrival, atMs: arrival.atMs - first.atMs } : arrival));
}
