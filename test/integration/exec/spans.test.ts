/** The exec worker sends the spans of its handlers, and passes their context on to the commands. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runMusterProcess } from '../../support/cli/cli.ts';
import { type ExecWorld, startExecWorld } from '../../support/cli/exec-worker.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../support/telemetry/otlp-receiver.ts';

let world: ExecWorld;
let receiver: OtlpReceiver;

beforeAll(async () => {
  [world, receiver] = await Promise.all([startExecWorld(), startOtlpReceiver()]);
});

afterAll(async () => {
  await world?.stop();
  await receiver?.stop();
});

it('an exec worker sends its spans before its end, with the context that the command got', async () => {
  await world.define('context');
  await world.worker(['context', '--', 'sh', '-c', 'echo "\\"$TRACEPARENT\\""'], {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  });
  const traceparent = (await world.client.result(await world.client.submit('context'))) as string;
  await world.stopWorkers();
  const [, traceId, spanId] = traceparent.split('-');
  const [sent, ...more] = receiver.received.filter(({ spans }) => spans.length > 0);
  expect(more).toEqual([]);
  expect(sent?.spans).toMatchObject([{ name: 'process context', traceId, spanId }]);
  expect(sent?.resource).toMatchObject({ 'service.name': 'muster-exec', 'telemetry.sdk.language': 'nodejs' });
});

it('an exec worker does not start if a variable asks for an unsupported exporter', async () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
  const { code, stderr } = await runMusterProcess(['worker', 'exec', 'same', '--', 'cat'], { env });
  expect(code).toBe(2);
  expect(stderr).toContain('OTEL_EXPORTER_OTLP_PROTOCOL is "grpc": spans go out as http/protobuf only');
});
