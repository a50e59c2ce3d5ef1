/**
 * The session's thread: it owns the session, the connections and every decision about attempts, so that no handler can
 * delay a heartbeat.
 */
import { randomUUID } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import { parentPort, workerData } from 'node:worker_threads';
import type { Channel } from '../../transport/channel.ts';
import { openChannel } from '../../transport/grpc-channel.ts';
import { callFailure } from '../core/base/call-failure.ts';
import type { CoreEvent, CorePorts } from '../core/base/ports.ts';
import { SessionCore } from '../core/sessions/session-core.ts';
import { progressMessage } from '../progress.ts';
import { unpackEnds } from './ends.ts';
import { HandlerLink } from './handler-link.ts';
import type { HandlerUpdate, ThreadData, ThreadEvent, ToSession } from './messages.ts';
import { natsBus } from './nats-bus.ts';
import { sessionApi } from './session-api.ts';
import { SlotFlags } from './slot-flags.ts';

function main(port: MessagePort, data: ThreadData): void {
  const channel = openChannel(data.address);
  const link = new HandlerLink(port, new SlotFlags(data.flags));
  const core = new SessionCore(
    data.core,
    realPorts(link, channel, (event) => {
      link.send({ kind: 'event', event: plainEvent(event), stats: core.stats });
      if (event.type !== 'closed' && event.type !== 'failed') return;
      port.close();
      channel.close();
    }),
  );
  port.on('message', (message: ToSession) => handle(core, message));
  core.start();
}

function realPorts(link: HandlerLink, channel: Channel, onEvent: (event: CoreEvent) => void): CorePorts {
  const log: CorePorts['log'] = (level, message, fields) => link.send({ kind: 'log', level, message, fields });
  return {
    clock: { now: () => performance.now() },
    timers: {
      after(ms, run) {
        const timer = setTimeout(run, ms);
        return { cancel: () => clearTimeout(timer) };
      },
    },
    random: Math.random,
    newId: randomUUID,
    api: sessionApi(channel),
    bus: natsBus(log),
    runner: link,
    onEvent,
    log,
  };
}

function handle(core: SessionCore, message: ToSession): void {
  switch (message.kind) {
    case 'ends':
      for (const update of message.updates) applyUpdate(core, update);
      core.handlersEnded(unpackEnds(message.ends));
      break;
    case 'slots':
      core.setSlots(message.slots);
      break;
    case 'drain':
      core.drain();
      break;
    case 'close':
      core.close();
      break;
    default:
      message satisfies never;
  }
}

function applyUpdate(core: SessionCore, { slot, progress, checkpoint, extensionMs, logs }: HandlerUpdate): void {
  if (progress) core.progress(slot, progressMessage(progress));
  if (checkpoint) core.checkpoint(slot, { $typeName: 'muster.v1.Payload', ...checkpoint });
  if (extensionMs !== undefined) core.extendRunTimeout(slot, extensionMs);
  if (logs) core.log(slot, logs);
}

function plainEvent(event: CoreEvent): ThreadEvent {
  if (event.type !== 'failed') return event;
  const { code, reason, message } = callFailure(event.error);
  return { type: 'failed', code, reason, message };
}

if (parentPort === null) throw new Error('this module runs as a worker thread');
main(parentPort, workerData as ThreadData);
