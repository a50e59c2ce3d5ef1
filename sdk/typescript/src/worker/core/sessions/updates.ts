/** Progress, checkpoints and log records that heartbeats still have to carry. */
import { durationFromMs } from '../../../duration.ts';
import type { Progress } from '../../../gen/muster/v1/job_pb.ts';
import type { Payload } from '../../../gen/muster/v1/payload_pb.ts';
import type { ProgressUpdate } from '../../../gen/muster/worker/v1/session_pb.ts';
import { MAX_UPDATE_BYTES, MAX_UPDATES } from '../base/limits.ts';
import type { AttemptUpdate, Held } from '../dispatch/held.ts';
import { type LogLine, LogTail } from './log-tail.ts';

/** The updates of one heartbeat, and the state that its answer acknowledges. */
export interface SentUpdates {
  readonly messages: ProgressUpdate[];
  readonly attempts: { readonly held: Held; readonly sequence: number; readonly logged: number }[];
}

const MESSAGE_BYTES = 400;

export class Updates {
  readonly #changed = new Set<Held>();

  get pending(): boolean {
    return this.#changed.size > 0;
  }

  progress(held: Held, progress: Progress): void {
    this.#change(held).progress = progress;
  }

  checkpoint(held: Held, checkpoint: Payload): void {
    this.#change(held).checkpoint = checkpoint;
  }

  extendRunTimeout(held: Held, extensionMs: number): void {
    this.#change(held).extensionMs = extensionMs;
  }

  log(held: Held, lines: readonly LogLine[]): void {
    held.logs ??= new LogTail();
    for (const line of lines) held.logs.add(line);
    this.#changed.add(held);
  }

  /** The changes that fit into one heartbeat; at least one. */
  collect(): SentUpdates {
    const sent: SentUpdates = { messages: [], attempts: [] };
    let bytes = 0;
    for (const held of this.#changed) {
      bytes += MESSAGE_BYTES + (held.update?.checkpoint?.data.length ?? 0) + (held.logs?.bytes ?? 0);
      if ((bytes > MAX_UPDATE_BYTES || sent.messages.length >= MAX_UPDATES) && sent.messages.length > 0) break;
      sent.attempts.push({ held, sequence: held.update?.sequence ?? 0, logged: held.logs?.lastSequence ?? 0 });
      sent.messages.push(messageOf(held));
    }
    return sent;
  }

  /** The heartbeat was answered: updates that have not changed since need no repetition. */
  delivered(sent: SentUpdates): void {
    for (const { held, sequence, logged } of sent.attempts) {
      const { update, logs } = held;
      logs?.confirm(logged);
      if (update !== undefined && update.sequence === sequence) {
        update.delivered = sequence;
        update.checkpoint = undefined;
      }
      if (!hasUpdate(update) && (logs === undefined || logs.empty)) this.#changed.delete(held);
    }
  }

  /** The attempt is over: its update is dropped, and its report carries its log. */
  drop(held: Held): void {
    this.#changed.delete(held);
  }

  #change(held: Held): AttemptUpdate {
    held.update ??= { sequence: 0, delivered: 0, progress: undefined, checkpoint: undefined, extensionMs: 0 };
    held.update.sequence++;
    this.#changed.add(held);
    return held.update;
  }
}

function hasUpdate(update: AttemptUpdate | undefined): update is AttemptUpdate {
  return update !== undefined && update.sequence > update.delivered;
}

/** Without a change since the last delivery, the message carries log records only. */
function messageOf({ jobId, attempt, update, logs }: Held): ProgressUpdate {
  const changed = hasUpdate(update) ? update : undefined;
  return {
    $typeName: 'muster.worker.v1.ProgressUpdate',
    jobId,
    attempt,
    sequence: BigInt(update?.sequence ?? 0),
    ...(changed?.progress && { progress: changed.progress }),
    ...(changed?.checkpoint && { checkpoint: changed.checkpoint }),
    ...(changed && changed.extensionMs > 0 && { runTimeoutExtension: durationFromMs(changed.extensionMs) }),
    logs: logs?.messages() ?? [],
  };
}
