/** The worker as its session sees it. */
import type { CompletionRate } from './completion-rate.ts';
import type { CorePorts } from './ports.ts';
import type { SlotTable } from './slot-table.ts';
import type { CoreStats } from './stats.ts';

export interface SessionHost {
  readonly ports: CorePorts;
  readonly slotTable: SlotTable;
  readonly rate: CompletionRate;
  readonly stats: CoreStats;
  readonly draining: boolean;
  supports(handler: string, version: number): boolean;
  /** The server asks the worker to drain. */
  drain(): void;
  /** The server has closed the session. */
  sessionLost(): void;
  /** The session holds nothing, and nothing more will be assigned. */
  sessionDrained(): void;
}
