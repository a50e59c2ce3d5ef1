/** Progress and checkpoints that heartbeats have yet to carry. */
import { durationFromMs } from '../../duration.ts';
import type { Progress } from '../../gen/muster/v1/job_pb.ts';
import type { Payload } from '../../gen/muster/v1/payload_pb.ts';
import type { ProgressUpdate } from '../../gen/muster/v1/session_service_pb.ts';
import type { Held } from './held.ts';
import { MAX_UPDATE_BYTES } from './limits.ts';

/** The newest words of one attempt. Each change raises the sequence, so that a late heartbeat sets nothing back. */
export interface AttemptUpdate {
  sequence: number;
  progress: Progress | undefined;
  /** Unset once a heartbeat that carried it was answered. */
  checkpoint: Payload | undefined;
  /** All that the handler has asked for beyond its run timeout; 0: nothing. */
  extensionMs: number;
}

/** What one heartbeat carries, and of whom, so that its answer can be matched. */
export interface SentUpdates {
  readonly messages: ProgressUpdate[];
  readonly attempts: { readonly held: Held; readonly sequence: number }[];
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

  /** The changes that fit into one heartbeat; the first one always does. */
  collect(): SentUpdates {
    const sent: SentUpdates = { messages: [], attempts: [] };
    let bytes = 0;
    for (const held of this.#changed) {
      const { update, jobId, attempt } = held;
      if (update === undefined) continue;
      bytes += MESSAGE_BYTES + (update.checkpoint?.data.length ?? 0);
      if (bytes > MAX_UPDATE_BYTES && sent.messages.length > 0) break;
      sent.attempts.push({ held, sequence: update.sequence });
      sent.messages.push({
        $typeName: 'muster.v1.ProgressUpdate',
        jobId,
        attempt,
        sequence: BigInt(update.sequence),
        ...(update.progress && { progress: update.progress }),
        ...(update.checkpoint && { checkpoint: update.checkpoint }),
        ...(update.extensionMs > 0 && { runTimeoutExtension: durationFromMs(update.extensionMs) }),
      });
    }
    return sent;
  }

  /** The heartbeat was answered: what has not changed since needs no repeat. */
  delivered(sent: SentUpdates): void {
    for (const { held, sequence } of sent.attempts) {
      if (held.update === undefined || held.update.sequence !== sequence) continue;
      held.update.checkpoint = undefined;
      this.#changed.delete(held);
    }
  }

  /** The attempt is over; its last words go with it. */
  drop(held: Held): void {
    this.#changed.delete(held);
  }

  #change(held: Held): AttemptUpdate {
    held.update ??= { sequence: 0, progress: undefined, checkpoint: undefined, extensionMs: 0 };
    held.update.sequence++;
    this.#changed.add(held);
    return held.update;
  }
}
