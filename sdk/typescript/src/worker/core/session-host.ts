/** What a session needs of the worker that it belongs to, and what it tells it. */
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
  /** Nothing is held any more, and nothing more will come. */
  sessionDrained(): void;
}
