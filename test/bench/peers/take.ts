/** Takes measures of peers: in turns when they would disturb each other, at once when they only wait. */
import type { Measure, Scale, Values } from './measure.ts';
import type { Peer } from './peer.ts';
import { medians, type Outcome } from './results.ts';
import { RunningPeer } from './running-peer.ts';
import type { Services } from './services.ts';

export type Progress = (text: string) => void;

async function once(
  measure: Measure,
  peer: Peer,
  services: Services,
  scale: Scale,
  progress: Progress,
): Promise<Values> {
  const running = await RunningPeer.start(peer, services);
  try {
    return await measure.run(running, scale, (text) => progress(`${measure.name}: ${peer.name}: ${text}`));
  } finally {
    await running.stop();
  }
}

/** Each round begins with another peer, so that changes of the machine affect all. */
function turns<T>(items: readonly T[], round: number): T[] {
  const first = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

/** Takes one measure of all peers. A peer that can't be measured or fails is in the result with the reason. */
export async function take(
  measure: Measure,
  peers: readonly Peer[],
  services: Services,
  scale: Scale,
  progress: Progress,
): Promise<Record<string, Outcome>> {
  const reasons = new Map<Peer, string>();
  const rounds = new Map<Peer, Values[]>();
  for (const peer of peers) {
    const reason = peer.missing() ?? measure.unable?.(peer);
    if (reason !== undefined) reasons.set(peer, reason);
    else rounds.set(peer, []);
  }
  const one = async (peer: Peer) => {
    if (reasons.has(peer)) return;
    try {
      rounds.get(peer)?.push(await once(measure, peer, services, scale, progress));
    } catch (error) {
      const [message = ''] = (error as Error).message.split('\n');
      progress(`${measure.name}: ${peer.name}: ${(error as Error).message}`);
      reasons.set(peer, message);
    }
  };
  for (let round = 0; round < (measure.repeated ? scale.rounds : 1); round++) {
    if (measure.together) await Promise.all(peers.map(one));
    else for (const peer of turns(peers, round)) await one(peer);
  }
  const outcome = (peer: Peer): Outcome => {
    const reason = reasons.get(peer);
    return reason === undefined ? medians(measure, rounds.get(peer) ?? []) : { notRun: reason };
  };
  return Object.fromEntries(peers.map((peer) => [peer.name, outcome(peer)]));
}
