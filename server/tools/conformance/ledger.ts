/** The credits of one session as received by the control plane. */
import type { Credit } from '@muster-jobs/sdk/gen/muster/worker/v1/session_pb';

export interface GrantedCredit {
  readonly id: number;
  /** As granted. */
  readonly slots: number;
  readonly prefetch: number;
  /** When the call that carried it arrived. */
  readonly at: number;
  /** The name of that call. */
  readonly by: string;
  /** Whether the server would use it: it came with an echo, or while the bus was down. */
  readonly isCounted: boolean;
  /** Unspent slots. */
  slotsLeft: number;
  prefetchLeft: number;
  isVoid: boolean;
}

/** How long the server uses a credit. */
const SERVER_LIFE_MS = 13_000;

export class Ledger {
  /** In order of arrival. */
  readonly all: GrantedCredit[] = [];
  readonly voided = new Set<number>();

  /** Credits that an assignment may name now. */
  live(now: number): GrantedCredit[] {
    return this.all.filter(({ isVoid, isCounted, at }) => !isVoid && isCounted && now - at < SERVER_LIFE_MS);
  }

  /** Slots that are granted now. */
  slots(now: number): number {
    return this.live(now).reduce((sum, { slotsLeft }) => sum + slotsLeft, 0);
  }

  prefetch(now: number): number {
    return this.live(now).reduce((sum, { prefetchLeft }) => sum + prefetchLeft, 0);
  }

  find(id: number): GrantedCredit | undefined {
    return this.all.find((credit) => credit.id === id);
  }

  /** The call may have been overtaken by the one that voids its credit. */
  grant({ creditId, slots, prefetch }: Credit, at: number, by: string, isCounted: boolean): void {
    const id = Number(creditId);
    const isVoid = this.voided.has(id);
    this.all.push({ id, slots, prefetch, at, by, isCounted, slotsLeft: slots, prefetchLeft: prefetch, isVoid });
  }

  void(id: number): void {
    this.voided.add(id);
    for (const credit of this.all) if (credit.id === id) credit.isVoid = true;
  }

  /** Spends a permit of this credit, if it has one left. */
  spendOf(id: number, isPrefetch: boolean): void {
    const credit = this.find(id);
    const left = isPrefetch ? 'prefetchLeft' : 'slotsLeft';
    if (credit && credit[left] > 0) credit[left]--;
  }

  /** Spends a permit of the newest credit that has one and arrived within `withinMs`; undefined: there is none. */
  spend(isPrefetch: boolean, now: number, withinMs = SERVER_LIFE_MS): GrantedCredit | undefined {
    const left = isPrefetch ? 'prefetchLeft' : 'slotsLeft';
    const credit = this.live(now).findLast((one) => one[left] > 0 && now - one.at < withinMs);
    if (credit) credit[left]--;
    return credit;
  }
}
