/** The worker as its session sees it. */

import type { CorePorts } from '../base/ports.ts';
import type { CoreStats } from '../base/stats.ts';
import type { CompletionRate } from '../dispatch/completion-rate.ts';
import type { SlotTable } from '../dispatch/slot-table.ts';

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
