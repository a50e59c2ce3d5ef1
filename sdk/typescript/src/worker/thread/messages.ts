/** Messages between the two threads of a worker. */
import type { LogLevel } from '../../logger.ts';
import type { CoreEvent, StopReason } from '../core/base/ports.ts';
import type { CoreStats } from '../core/base/stats.ts';
import type { LogLine } from '../core/sessions/log-tail.ts';
import type { CoreOptions } from '../core/sessions/session-core.ts';
import type { ReportedProgress } from '../progress.ts';
import type { PackedEnds } from './ends.ts';
import type { PackedStarts } from './starts.ts';

/** Start data of the session's thread. */
export interface ThreadData {
  readonly address: string;
  readonly core: CoreOptions;
  readonly flags: SharedArrayBuffer;
}

/** A `failed` event carries its error as plain data: class instances do not survive a message between threads. */
export type ThreadEvent =
  | Exclude<CoreEvent, { type: 'failed' }>
  | { readonly type: 'failed'; readonly code: number; readonly reason: string; readonly message: string };

export type ToHandlers =
  | { readonly kind: 'starts'; readonly starts: PackedStarts }
  | { readonly kind: 'stop'; readonly slot: number; readonly reason: StopReason }
  | { readonly kind: 'event'; readonly event: ThreadEvent; readonly stats: CoreStats }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>> | undefined;
    };

/** Updates of a running handler. The bytes of the checkpoint are a copy. */
export interface HandlerUpdate {
  readonly slot: number;
  readonly progress?: ReportedProgress;
  readonly checkpoint?: {
    readonly data: Uint8Array;
    readonly contentType: string;
    readonly metadata: { [key: string]: string };
  };
  /** Sum of the extensions of the run timeout, in milliseconds. */
  readonly extensionMs?: number;
  readonly logs?: readonly LogLine[];
}

export type ToSession =
  | { readonly kind: 'ends'; readonly updates: readonly HandlerUpdate[]; readonly ends: PackedEnds }
  | { readonly kind: 'slots'; readonly slots: number }
  | { readonly kind: 'drain' }
  | { readonly kind: 'close' };
