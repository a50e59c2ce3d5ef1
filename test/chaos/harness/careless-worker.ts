/**
 * A worker that speaks the protocol directly and badly: it loses assignments, repeats reports, claims other results,
 * releases attempts, vanishes with open ones, and reports them long after. It keeps the rules that safety needs, so
 * that every answer of the control plane can be checked against the journal.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import {
  type OpenSessionRequest,
  OpenSessionRequestSchema,
  type OpenSessionResponse,
} from '../../../sdk/typescript/src/gen/muster/worker/v1/session_service_pb.ts';
import type { Channel } from '../../../sdk/typescript/src/transport/channel.ts';
import { openChannel } from '../../../sdk/typescript/src/transport/grpc-channel.ts';
import type { SessionApi } from '../../../sdk/typescript/src/worker/core/base/ports.ts';
import { sessionApi } from '../../../sdk/typescript/src/worker/thread/session-api.ts';
import { eventually } from '../../support/base/eventually.ts';
import { CarelessSession, type ReportAnswer } from './careless-session.ts';
import type { Dice } from './dice.ts';
import { isUnknown } from './outcomes.ts';
import type { WorkerRecord } from './records.ts';
import { Tally } from './tally.ts';

export interface CarelessOptions {
  readonly address: string;
  readonly name: string;
  readonly slots: number;
  readonly beatMs: number;
  readonly dice: Dice;
  /** Whether the store says that the session is no longer open. */
  readonly isClosed: (session: string) => Promise<boolean>;
}

const OPEN_MS = 2_000;
const OPEN_EACH_MS = 50;
const MAX_OPENS = 600;
const LAPSE_MS = 180_000;
const CHANCE_TO_VANISH = 0.6;

export class CarelessWorker {
  readonly records: WorkerRecord[] = [];
  readonly reports: ReportAnswer[] = [];
  readonly tally = new Tally();
  readonly #options: CarelessOptions;
  readonly #channel: Channel;
  readonly #api: SessionApi;
  #lives = 0;
  #stopping = false;
  #givenUp = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: CarelessOptions) {
    this.#options = options;
    this.#channel = openChannel(options.address);
    this.#api = sessionApi(this.#channel);
  }

  start(): void {
    this.#stopping = false;
    // `stop` rethrows a failure.
    this.#running = this.#run().catch((error: unknown) => error);
  }

  /** Ends the current session in order, until the next start. @throws an earlier failure. */
  async rest(): Promise<void> {
    this.#stopping = true;
    const failure = await this.#running;
    if (failure) throw failure;
  }

  /** Ends the current session in order, for good. @throws an earlier failure. */
  async stop(): Promise<void> {
    await this.rest().finally(() => this.#channel.close());
  }

  /** Aborts the run. */
  async breakOff(): Promise<void> {
    this.#givenUp = true;
    await this.stop();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) await this.#live();
  }

  async #live(): Promise<void> {
    const { dice, beatMs } = this.#options;
    const parts = {
      ...this.#options,
      name: `${this.#options.name}-${++this.#lives}`,
      api: this.#api,
      tally: this.tally,
      records: this.records,
      reports: this.reports,
      givenUp: () => this.#givenUp,
    };
    const sentAt = performance.now();
    const session = new CarelessSession(parts, await this.#open(parts.name), sentAt);
    const beats = dice.int(6, 14);
    for (let beat = 0; beat < beats && !session.over && !this.#stopping; beat++) {
      await session.beat();
      await delay(beatMs);
    }
    await this.#end(session);
  }

  /** Closes it with all that it holds, or vanishes and reports its attempts too late. */
  async #end(session: CarelessSession): Promise<void> {
    const vanishes = !this.#stopping && this.#options.dice.chance(CHANCE_TO_VANISH);
    if (vanishes && !session.over) {
      this.tally.count('session left to lapse');
      const isClosed = async () => this.#stopping || (await this.#options.isClosed(session.id));
      await eventually('the abandoned session is closed', isClosed, { timeoutMs: LAPSE_MS, everyMs: 100 });
    }
    if (this.#givenUp) session.over = true;
    else if (await this.#options.isClosed(session.id)) await session.reportTooLate();
    else await session.close();
    await session.leave();
  }

  #open(workerName: string): Promise<OpenSessionResponse> {
    const request = create(OpenSessionRequestSchema, {
      workerName,
      protocolVersion: 1,
      handlers: [{ name: 'quick' }],
      slots: this.#options.slots,
      requestId: randomUUID(),
    });
    return openRepeatedly(this.#api, request, OPEN_EACH_MS, () => this.#givenUp);
  }
}

/** Repeats each `everyMs`, with the same request id, so that a lost answer opens no second session. */
export async function openRepeatedly(
  api: SessionApi,
  request: OpenSessionRequest,
  everyMs: number,
  isGivenUp = () => false,
): Promise<OpenSessionResponse> {
  for (let tries = 1; ; tries++) {
    try {
      return await api.openSession(request, OPEN_MS);
    } catch (error) {
      if (!isUnknown(error) || tries >= MAX_OPENS || isGivenUp()) throw error;
      await delay(everyMs);
    }
  }
}
