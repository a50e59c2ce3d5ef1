/** Lanes and session classes: which sessions can run which jobs is a pure function of the two. */
import type { Demands } from './definition.ts';

export interface LaneKey {
  readonly namespace: string;
  readonly queue: string;
  readonly definition: string;
  readonly definitionVersion: number;
  /** Canonical text, see `canonicalDemands`. */
  readonly demands: string;
  readonly suspect: boolean;
  /** Its jobs clean up after cancelled ones: another handler runs them. Left out: they do not. */
  readonly cleanup?: boolean | undefined;
  /** Its jobs wait for room at the limit of their keys; nothing is claimed from it. Left out: they do not. */
  readonly atLimit?: boolean | undefined;
}

export interface Handler {
  readonly name: string;
  /** 0: any. */
  readonly minVersion: number;
  /** 0: any. */
  readonly maxVersion: number;
}

/** What sessions offer alike. */
export interface SessionClass {
  readonly namespace: string;
  readonly handlers: readonly Handler[];
  readonly labels: Readonly<Record<string, string>>;
}

/** The same demands give the same text, whatever the order in which they were written. */
export function canonicalDemands(demands: Demands): string {
  const entries = Object.entries(demands.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? '' : JSON.stringify(Object.fromEntries(entries));
}

/** The same offer gives the same text. */
export function classKey(sessionClass: SessionClass): string {
  const handlers = sessionClass.handlers.map((h) => `${h.name}:${h.minVersion}:${h.maxVersion}`).sort();
  const labels = Object.entries(sessionClass.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sessionClass.namespace, handlers, labels]);
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
  const labels: Record<string, string> = lane.demands === '' ? {} : JSON.parse(lane.demands);
  return Object.entries(labels).every(([key, value]) => sessionClass.labels[key] === value);
}
