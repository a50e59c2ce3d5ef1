/** Converts requests to calls of a peer's producer. */
import type { Kind, ProducerRequest, SubmitMany, SubmitSteadily, Submitted, Target, Work } from '../../contract.ts';
import type { Producer } from './adapter.ts';
import { now } from './lines.ts';

/** Maximum concurrent calls, and maximum jobs per call, of a steady submission. */
const STEADY_WIDTH = 8;
const STEADY_BATCH = 500;
const TICK_MS = 2;

function work(kind: Kind, sent: number, ms = 0): Work {
  return { kind, sent, ms, text: 'a job of some sixty bytes' };
}

async function submitMany(producer: Producer, { queue, kind, ms, count, batch, width }: SubmitMany) {
  let left = count;
  const lane = async () => {
    while (left > 0) {
      const size = Math.min(batch, left);
      left -= size;
      const sent = now();
      await producer.submitMany(
        queue,
        Array.from({ length: size }, () => work(kind, sent, ms)),
      );
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return { submitted: count };
}

/** Submits at every tick all jobs that have become due, as one call, unless too many calls are pending. */
async function submitSteadily(producer: Producer, { queue, kind, ms, rate, seconds }: SubmitSteadily) {
  const total = Math.round(rate * seconds);
  const start = now();
  const calls = new Set<Promise<unknown>>();
  let submitted = 0;
  while (submitted < total) {
    const due = Math.min(total, Math.floor(((now() - start) / 1000) * rate));
    while (submitted < due && calls.size < STEADY_WIDTH) {
      const size = Math.min(STEADY_BATCH, due - submitted);
      const jobs = Array.from({ length: size }, (_, n) => work(kind, start + ((submitted + n) / rate) * 1000, ms));
      const call: Promise<unknown> = producer.submitMany(queue, jobs).finally(() => calls.delete(call));
      calls.add(call);
      submitted += size;
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(calls);
  return { submitted };
}

async function submit(producer: Producer, { queue, kind, ms }: Target): Promise<Submitted> {
  const sent = now();
  const [job] = await producer.submitMany(queue, [work(kind, sent, ms)]);
  if (job === undefined) throw new Error('the peer accepted the job without an id');
  return { job, sent };
}

async function cancel(producer: Producer, queue: string, job: string) {
  if (!producer.cancel) throw new Error('the peer has no way to stop a running job from another process');
  const sent = now();
  await producer.cancel(queue, job);
  return { sent };
}

/** Executes the request, and returns the reply that the contract defines. */
export function answer(producer: Producer, request: ProducerRequest): Promise<object> {
  switch (request.do) {
    case 'submitMany':
      return submitMany(producer, request);
    case 'submitSteadily':
      return submitSteadily(producer, request);
    case 'submit':
      return submit(producer, request);
    case 'cancel':
      return cancel(producer, request.queue, request.job);
    case 'open':
      return producer.open(request.queues);
  }
}
