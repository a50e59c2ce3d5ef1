/** One line of a file of arrivals. */
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { nearName } from '../../domain/base/near-name.ts';
import { spanToMs } from '../../domain/base/quantities.ts';
import type { Arrival } from '../../tools/simulate/scenario.ts';
import { time } from '../input/spans.ts';

/** Its time is a calendar time, or a span since the beginning. */
export interface TimedArrival extends Arrival {
  readonly isTime: boolean;
}

const fields = [
  ...['at', 'definition', 'queue', 'priority', 'labels', 'fairnessKey', 'limitKey', 'input', 'delay', 'run'],
  ...['outcome', 'failures', 'failureType'],
];
const TEN_YEARS_MS = 3_650 * 86_400_000;
const MAX_FAILURES = 1_000;
/** Two of the 64 labels are left for the two keys, which may be sent as labels. */
const MAX_LABELS = 62;

type Report = (field: string, reason: string) => undefined;

/** Undefined if the line is invalid; the problems are reported. */
export function arrivalOf(
  line: number,
  text: string,
  report: (field: string, reason: string) => void,
): TimedArrival | undefined {
  let isFine = true;
  const wrong: Report = (field, reason) => {
    isFine = false;
    report(field, reason);
  };
  const json = objectOf(text, wrong);
  if (json === undefined) return undefined;
  for (const key of Object.keys(json).filter((one) => !fields.includes(one))) {
    const near = nearName(key, fields);
    wrong(
      key,
      near === undefined ? `is no field; there are ${fields.join(', ')}` : `is no field; did you mean ${near}?`,
    );
  }
  const arrival = { line, ...momentOf(json.at, wrong), ...whatOf(json, wrong), ...howOf(json, wrong) };
  return isFine ? arrival : undefined;
}

function objectOf(text: string, wrong: Report): JsonObject | undefined {
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return wrong('', `is no JSON: ${(error as Error).message}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  return wrong('', 'must be a JSON object');
}

function momentOf(at: JsonValue | undefined, wrong: Report): Pick<TimedArrival, 'atMs' | 'isTime'> {
  const ms = typeof at === 'string' ? spanToMs(at) : undefined;
  if (ms !== undefined) return { atMs: Math.round(ms), isTime: false };
  try {
    return { atMs: time(String(at)).getTime(), isTime: true };
  } catch {
    wrong(
      'at',
      'must be a span since the beginning such as "90s", or a time with its zone such as "2026-05-04T09:30:00Z"',
    );
    return { atMs: 0, isTime: false };
  }
}

/** The arriving job. */
function whatOf(json: JsonObject, wrong: Report) {
  const { definition, priority, labels = {}, input } = json;
  if (typeof definition !== 'string' || definition === '') wrong('definition', 'must be the name of a definition');
  if (priority !== undefined && !isWhole(priority, -100, 100))
    wrong('priority', 'must be a whole number from -100 to 100');
  const isLabels = typeof labels === 'object' && labels !== null && !Array.isArray(labels);
  if (!isLabels || Object.values(labels).some((value) => typeof value !== 'string'))
    wrong('labels', 'must be a mapping of texts');
  else if (Object.keys(labels).length > MAX_LABELS) wrong('labels', `has more than ${MAX_LABELS} entries`);
  return {
    definition: String(definition),
    queue: textOf(json, 'queue', wrong) ?? '',
    priority: priority as number | undefined,
    labels: labels as Record<string, string>,
    fairnessKey: textOf(json, 'fairnessKey', wrong),
    limitKey: textOf(json, 'limitKey', wrong),
    input,
    delayMs: spanOf(json, 'delay', wrong) ?? 0,
  };
}

/** The outcome of the job at a worker. */
function howOf(json: JsonObject, wrong: Report) {
  const { run, outcome = 'succeeded', failures = 0 } = json;
  if (run === undefined) wrong('run', 'is missing: how long an attempt runs, such as "300ms"');
  if (outcome !== 'succeeded' && outcome !== 'failed') wrong('outcome', 'must be "succeeded" or "failed"');
  if (!isWhole(failures, 0, MAX_FAILURES))
    wrong('failures', `must be a whole number from 0 to ${MAX_FAILURES}: attempts that fail before one succeeds`);
  return {
    runMs: spanOf(json, 'run', wrong) ?? 0,
    failures: outcome === 'failed' ? Number.POSITIVE_INFINITY : Number(failures),
    failureType: textOf(json, 'failureType', wrong) ?? 'Simulated',
  };
}

function textOf(json: JsonObject, field: string, wrong: Report): string | undefined {
  const value = json[field];
  if (value === undefined || typeof value === 'string') return value;
  return wrong(field, 'must be a text');
}

function spanOf(json: JsonObject, field: string, wrong: Report): number | undefined {
  const value = json[field];
  if (value === undefined) return undefined;
  const ms = typeof value === 'string' ? spanToMs(value) : undefined;
  if (ms !== undefined && ms <= TEN_YEARS_MS) return Math.round(ms);
  return wrong(field, 'must be a span of at most ten years, such as "300ms", "90s" or "1h30m"');
}

function isWhole(value: JsonValue, least: number, most: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}
