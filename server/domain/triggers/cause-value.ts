/** A cause as its expressions and the job's input have it. */
import type { JobState } from '../jobs/job-state.ts';
import type { CauseValue } from './cause-expressions.ts';
import type { Cause } from './condition.ts';

/** What is stored of a cause, by its source. */
export interface CauseFacts {
  readonly timeUs: number;
  /** Of the job that ended, or that published the asset. */
  readonly jobId?: string | undefined;
  readonly state?: JobState | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Of the asset. */
  readonly version?: number | undefined;
  readonly nominalUs?: number | undefined;
  /** Of the signal. */
  readonly signalKey?: string | undefined;
}

const textOf = (us: number) => new Date(us / 1_000).toISOString();

/** Without the payload of a signal. */
export function causeValue({ source, name }: Pick<Cause, 'source' | 'name'>, facts: CauseFacts): CauseValue {
  const common = { kind: source.toLowerCase(), name, time: textOf(facts.timeUs) };
  const { jobId, state, labels = {}, version, nominalUs, signalKey } = facts;
  switch (source) {
    case 'SIGNAL':
      return { ...common, key: signalKey ?? '' };
    case 'ASSET':
      return { ...common, version, job_id: jobId };
    case 'JOB':
      return { ...common, job_id: jobId, state, labels };
    default:
      return { ...common, nominal_time: nominalUs === undefined ? null : textOf(nominalUs) };
  }
}

/** With the payload, text of JSON, which is parsed when an expression first reads it. Undefined: null. */
export function withPayload(value: CauseValue, payload: string | undefined): CauseValue {
  let parsed: { readonly json: unknown } | undefined;
  const read = () => {
    parsed ??= { json: payload === undefined ? null : JSON.parse(payload) };
    return parsed.json;
  };
  return Object.defineProperty({ ...value }, 'payload', { get: read, enumerable: true });
}

/** The text of a payload that is JSON; undefined: it is none. */
export function jsonText(data: Uint8Array, contentType: string): string | undefined {
  if (data.length === 0 || (contentType !== '' && contentType !== 'application/json')) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data);
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}
