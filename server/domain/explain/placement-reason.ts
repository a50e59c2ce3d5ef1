/** Why a ready job with demands on its worker waits, as text for operators. */
import type { Demands } from '../dispatch/demands.ts';
import { fits, type LaneKey, meets, parseDemands, type SessionClass } from '../dispatch/placement.ts';
import { type Amounts, amountsText, fitCount, type Taken } from '../dispatch/resources.ts';
import type { WaitReason } from './wait-reasons.ts';

/** An open session that takes jobs. */
export interface PlacementOffer extends SessionClass {
  readonly sessionId: string;
  readonly workerName: string;
}

export interface PlacementReason {
  readonly reason: Extract<WaitReason, 'NO_WORKER' | 'IN_LINE'>;
  readonly text: string;
}

/** Sessions that could run the jobs of a lane if they were empty. */
export function ableOf<T extends Omit<PlacementOffer, 'sessionId'>>(
  offers: readonly T[],
  lane: LaneKey,
  handler: string,
): T[] {
  const { sticky } = parseDemands(lane.demands);
  const isKept = ({ workerName }: T) => sticky?.mode !== 'HARD' || sticky.worker === workerName;
  return offers.filter((offer) => isKept(offer) && fits(offer, lane, handler));
}

/** `takenBy`: what the able sessions hold. Undefined: the demands are not the reason. */
export function placementReason(
  offers: readonly PlacementOffer[],
  lane: LaneKey,
  handler: string,
  takenBy: ReadonlyMap<string, readonly Taken[]>,
): PlacementReason | undefined {
  const demands = parseDemands(lane.demands);
  const serving = ableOf(offers, { ...lane, demands: '' }, handler);
  if (serving.length === 0) return undefined;
  const able = ableOf(offers, lane, handler);
  const { resources } = demands;
  if (able.length === 0) return { reason: 'NO_WORKER', text: unmet(demands, serving) };
  const hasCapacity = (one: PlacementOffer) =>
    fitCount(resources ?? {}, one.resources ?? {}, takenBy.get(one.sessionId) ?? []) > 0;
  if (!resources || able.some(hasCapacity)) return undefined;
  const workers =
    able.length === 1 ? `worker ${able[0]?.workerName} has` : `${able.length} workers that could run it have`;
  return {
    reason: 'IN_LINE',
    text: `waits for capacity: it takes ${amountsText(resources)}; ${workers} less than that left`,
  };
}

interface Lack<T> {
  /** `worker`: the session does not belong to the sticky worker. */
  readonly of: 'labels' | 'resources' | 'worker';
  /** Sessions that lack nothing that is checked earlier. */
  readonly nearest: readonly T[];
}

/**
 * What the sessions lack that serve a lane but can't run its jobs. Amounts are compared only for sessions whose labels
 * match.
 */
export function lackOf<T extends Pick<PlacementOffer, 'labels' | 'resources'>>(
  demands: Demands,
  serving: readonly T[],
): Lack<T> {
  const labelled = serving.filter((one) => meets(one, { ...demands, resources: {} }));
  if (labelled.length === 0) return { of: 'labels', nearest: serving };
  const whole = labelled.filter((one) => meets(one, demands));
  return whole.length === 0 ? { of: 'resources', nearest: labelled } : { of: 'worker', nearest: whole };
}

function unmet(demands: Demands, serving: readonly PlacementOffer[]): string {
  const { resources = {}, sticky } = demands;
  const { of, nearest } = lackOf(demands, serving);
  if (of === 'worker')
    return `waits for worker ${sticky?.worker}, which it keeps to: it is not connected, or no longer serves it`;
  if (of === 'labels')
    return `no connected worker that serves it has the labels that it demands: ${labelsText(demands)}`;
  return `no connected worker could ever run it: it takes ${amountsText(resources)}; the most that one offers is ${mostOf(resources, nearest)}`;
}

function labelsText({ labels, required }: Demands): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return [...pairs, ...(required === undefined ? [] : [required])].join(', ');
}

/** For each demanded resource, the largest amount that any session offers. */
function mostOf(resources: Amounts, offers: readonly PlacementOffer[]): string {
  const offered = (one: PlacementOffer, name: string) =>
    Object.hasOwn(one.resources ?? {}, name) ? (one.resources?.[name] ?? 0) : 0;
  const most = Object.keys(resources).map((name) => [name, Math.max(...offers.map((one) => offered(one, name)))]);
  return amountsText(Object.fromEntries(most));
}
