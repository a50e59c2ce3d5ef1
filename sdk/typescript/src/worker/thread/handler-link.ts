/** The session thread's side of the port to the handlers. Starts of one turn are sent as one message. */
import type { MessagePort } from 'node:worker_threads';
import type { Assignment } from '../../gen/muster/worker/v1/assignment_pb.ts';
import type { Runner, StopReason } from '../core/base/ports.ts';
import type { ToHandlers } from './messages.ts';
import type { SlotFlags } from './slot-flags.ts';
import { StartsPacker } from './starts.ts';

export class HandlerLink implements Runner {
  readonly #port: MessagePort;
  readonly #flags: SlotFlags;
  readonly #starts = new StartsPacker();

  constructor(port: MessagePort, flags: SlotFlags) {
    this.#port = port;
    this.#flags = flags;
  }

  start(slot: number, assignment: Assignment): void {
    if (this.#starts.empty) queueMicrotask(() => this.#flush());
    this.#starts.add(slot, this.#flags.hand(slot), assignment);
  }

  hasStarted(slot: number): boolean {
    return this.#flags.hasEntered(slot);
  }

  withdraw(slot: number): boolean {
    return this.#flags.withdraw(slot);
  }

  /** Sends pending starts first: the handler to stop may be among them. */
  stop(slot: number, reason: StopReason): void {
    this.#flush();
    this.send({ kind: 'stop', slot, reason });
  }

  send(message: ToHandlers): void {
    this.#port.postMessage(message);
  }

  #flush(): void {
    if (this.#starts.empty) return;
    const starts = this.#starts.take();
    const message: ToHandlers = { kind: 'starts', starts };
    this.#port.postMessage(message, [starts.bytes.buffer]);
  }
}
