/**
 * Arrivals may contain their keys instead of the input from which a definition's expressions compute them: job lists
 * contain keys, but no inputs. Such a key is sent as a label, which a modified expression prefers.
 */
import type { JsonObject } from '@bufbuild/protobuf';
import type { Arrival } from './scenario.ts';

const FAIRNESS_LABEL = 'simulated-fairness-key';
const LIMIT_LABEL = 'simulated-limit-key';

interface Expressions {
  /** Empty: the definition has none. */
  readonly fairnessKey: string;
  readonly limitKey: string;
}

function expressionsOf(definition: JsonObject): Expressions {
  const { fairnessKey = '', keyLimit } = definition as { fairnessKey?: string; keyLimit?: { key?: string } };
  return { fairnessKey, limitKey: keyLimit?.key ?? '' };
}

function orGiven(label: string, expression: string): string {
  return `"${label}" in labels ? (labels["${label}"] == "" ? null : labels["${label}"]) : (${expression})`;
}

/** The definitions, with expressions that prefer given keys where arrivals contain some. */
export function withGivenKeys(definitions: readonly JsonObject[], arrivals: readonly Arrival[]): JsonObject[] {
  const gives = (key: 'fairnessKey' | 'limitKey') =>
    new Set(arrivals.filter((arrival) => arrival[key] !== undefined).map(({ definition }) => definition));
  const [fairness, limits] = [gives('fairnessKey'), gives('limitKey')];
  return definitions.map((definition) => {
    const { fairnessKey, limitKey } = expressionsOf(definition);
    const name = String(definition.name);
    return {
      ...definition,
      ...(fairnessKey && fairness.has(name) ? { fairnessKey: orGiven(FAIRNESS_LABEL, fairnessKey) } : {}),
      ...(limitKey && limits.has(name)
        ? { keyLimit: { ...(definition.keyLimit as JsonObject), key: orGiven(LIMIT_LABEL, limitKey) } }
        : {}),
    };
  });
}

export interface GivenKeys {
  readonly labels: Readonly<Record<string, string>>;
  /** Empty: the definition's, if it has one. */
  readonly fairnessKey: string;
}

/** Whether a limit's key in an arrival of this definition has an effect. */
export function limitsKeys(definition: JsonObject): boolean {
  return expressionsOf(definition).limitKey !== '';
}

/** The keys in an arrival's submission. A key is left out if the definition has no limit by key. */
export function givenKeysOf(arrival: Arrival, definition: JsonObject): GivenKeys {
  const { fairnessKey, limitKey } = arrival;
  const expressions = expressionsOf(definition);
  const asLabel = (label: string, key: string | undefined, expression: string) =>
    key !== undefined && expression !== '' ? { [label]: key } : {};
  const labels = {
    ...arrival.labels,
    ...asLabel(FAIRNESS_LABEL, fairnessKey, expressions.fairnessKey),
    ...asLabel(LIMIT_LABEL, limitKey, expressions.limitKey),
  };
  return { labels, fairnessKey: expressions.fairnessKey === '' ? (fairnessKey ?? '') : '' };
}
