/** Lanes and session classes: which sessions can run which jobs is a pure function of the two. */
import type { Demands } from './demands.ts';
import { compileLabels } from './label-expression.ts';
import { type Amounts, covers } from './resources.ts';

export interface LaneKey {
  readonly namespace: string;
  readonly queue: string;
  readonly definition: string;
  readonly definitionVersion: number;
  /** Canonical text, see `canonicalDemands`. */
  readonly demands: string;
  readonly suspect: boolean;
  /** Its jobs clean up after others, with another handler. Left out: false. */
  readonly cleanup?: boolean | undefined;
  /** Its jobs wait for capacity at the limit of their keys; nothing is claimed from it. Left out: false. */
  readonly atLimit?: boolean | undefined;
}

export interface Handler {
  readonly name: string;
  /** 0: any. */
  readonly minVersion: number;
  /** 0: any. */
  readonly maxVersion: number;
}

/** What the sessions of a class have in common. */
export interface SessionClass {
  readonly namespace: string;
  readonly handlers: readonly Handler[];
  readonly labels: Readonly<Record<string, string>>;
  /** Left out: none. */
  readonly resources?: Amounts;
}

/**
 * Equal demands give the same text, whatever the order in which they were written: an object of the labels, or an array
 * of the labels and the rest. An older release, which knows labels only, finds no session for the array form.
 */
export function canonicalDemands({ labels, ...rest }: Demands): string {
  if (Object.keys(rest).length > 0) return JSON.stringify([sortedObject(labels), sortedRest(rest)]);
  return Object.keys(labels).length === 0 ? '' : JSON.stringify(sortedObject(labels));
}

/** Inverse of `canonicalDemands`. */
export function parseDemands(canonical: string): Demands {
  const value = canonical === '' ? {} : JSON.parse(canonical);
  return Array.isArray(value) ? { labels: value[0], ...value[1] } : { labels: value };
}

/**
 * The lane of the clean-ups of a lane's jobs. No limit holds them back. Any worker that serves the handler must be able
 * to run them, so a hard sticky worker becomes a soft one: that worker may not serve the clean-up handler, or never come
 * back.
 */
export function cleanupKey(lane: LaneKey): LaneKey {
  const { sticky, ...demands } = parseDemands(lane.demands);
  const soft = sticky ? { ...demands, sticky: { ...sticky, mode: 'SOFT' as const } } : demands;
  return { ...lane, demands: canonicalDemands(soft), suspect: false, cleanup: true, atLimit: false };
}

/** Whether its jobs take amounts of their session's resources. */
export function takesResources(lane: Pick<LaneKey, 'demands'>): boolean {
  return parseDemands(lane.demands).resources !== undefined;
}

function sortedRest({ resources, ...rest }: Omit<Demands, 'labels'>): object {
  return sortedObject({ ...rest, ...(resources ? { resources: sortedObject(resources) } : {}) });
}

function sortedObject<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Equal offers give the same text. */
export function classKey(sessionClass: SessionClass): string {
  const handlers = sessionClass.handlers.map((h) => `${h.name}:${h.minVersion}:${h.maxVersion}`).sort();
  const { labels, resources = {} } = sessionClass;
  return JSON.stringify([sessionClass.namespace, handlers, sortedObject(labels), sortedObject(resources)]);
}

function serves(handler: Handler, name: string, version: number): boolean {
  return (
    handler.name === name &&
    version >= handler.minVersion &&
    (handler.maxVersion === 0 || version <= handler.maxVersion)
  );
}

/** Whether sessions of this class can run jobs of this lane; `handler` is the one that the lane's definition names. */
export function fits(sessionClass: SessionClass, lane: LaneKey, handler: string): boolean {
  if (sessionClass.namespace !== lane.namespace) return false;
  if (!sessionClass.handlers.some((offer) => serves(offer, handler, lane.definitionVersion))) return false;
  return meets(sessionClass, parseDemands(lane.demands));
}

/** Whether a session without any jobs meets all demands. */
export function meets(
  { labels, resources = {} }: Pick<SessionClass, 'labels' | 'resources'>,
  demands: Demands,
): boolean {
  return (
    Object.entries(demands.labels).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value) &&
    (demands.required === undefined || isTrueOf(demands.required, labels)) &&
    covers(resources, demands.resources ?? {})
  );
}

/** Whether a session is preferred for jobs with these demands. */
export function isPreferred({ labels }: Pick<SessionClass, 'labels'>, { preferred }: Demands): boolean {
  return preferred === undefined || isTrueOf(preferred, labels);
}

/**
 * Size of the cache. Expressions come from definitions and submissions: there are few, and each is evaluated for every
 * session class.
 */
const MAX_COMPILED = 1_000;
const compiledExpressions = new Map<string, ReturnType<typeof compileLabels>>();

function isTrueOf(expression: string, labels: SessionClass['labels']): boolean {
  let compiled = compiledExpressions.get(expression);
  if (!compiled) {
    compiled = compileLabels(expression);
    if (compiledExpressions.size >= MAX_COMPILED) compiledExpressions.clear();
    compiledExpressions.set(expression, compiled);
  }
  return !('problem' in compiled) && compiled.isTrueOf(labels);
}
