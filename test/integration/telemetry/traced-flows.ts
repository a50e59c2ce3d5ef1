/** Workflows on a replica that sends its spans, and the received spans. */
import { vi } from 'vitest';
import { spanIdOf } from '../../../server/domain/events/trace.ts';
import { eventually } from '../../support/base/eventually.ts';
import { startOtlpReceiver } from '../../support/telemetry/otlp-receiver.ts';
import { startOn } from '../api/workflows/flows.ts';

export type TracedFlows = Awaited<ReturnType<typeof startTraced>>;

export async function startTraced(kind: Parameters<typeof startOn>[0]) {
  const receiver = await startOtlpReceiver();
  vi.stubEnv('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', `${receiver.url}/v1/traces`);
  const place = await startOn(kind);
  vi.unstubAllEnvs();
  /** The job's own span, once it has arrived. */
  const rootOf = (jobId: string) =>
    eventually(
      `the span of job ${jobId} has come`,
      () => receiver.received.flatMap((one) => one.spans).find(({ spanId }) => spanId === spanIdOf(jobId, 0, 'job')),
      { timeoutMs: 60_000 },
    );
  return {
    receiver,
    place,
    rootOf,
    /** The links of the job's own span, as `KIND TRACE SPAN`. */
    linksOf: async (jobId: string) =>
      (await rootOf(jobId)).links.map(({ kind: why, traceId, spanId }) => `${why} ${traceId} ${spanId}`).sort(),
    async stop() {
      await place.stop();
      await receiver.stop();
    },
  };
}
