/**
 * A real server sends its metrics by OTLP if the standard variables say so, the same as on its page, also at its end.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { metrics } from '../../../server/telemetry/metrics/catalogue.ts';
import { eventually } from '../../support/base/eventually.ts';
import { runMusterProcess, startMusterProcess } from '../../support/cli/cli.ts';
import { type OtlpReceiver, type Received, startOtlpReceiver } from '../../support/telemetry/otlp-receiver.ts';

let receiver: OtlpReceiver;
let folder: string;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  folder = await mkdtemp(join(tmpdir(), 'muster-otlp-'));
});

afterAll(async () => {
  await receiver?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The start can take long on a busy machine. */
const START = { timeoutMs: 100_000, everyMs: 50 };

const start = ['start', '--grpc-port', '0', '--http-port', '0'];

it('a server sends its metrics by OTLP at each interval, and the rest when it stops', async () => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=secret',
    OTEL_METRIC_EXPORT_INTERVAL: '500',
    OTEL_SERVICE_NAME: 'jobs',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  };
  const server = startMusterProcess([...start, '--data', join(folder, 'a')], { env });
  await eventually('two have come', () => receiver.received.length >= 2, START);
  const hasSessions = ({ metrics: all }: Received) => all.some(({ name }) => name === metrics.sessions.name);
  const sent = await eventually('the server is up', () => receiver.received.find(hasSessions), START);
  expect(sent).toMatchObject({
    path: '/v1/metrics',
    headers: { 'content-type': 'application/x-protobuf', 'x-key': 'secret' },
    resource: { 'service.name': 'jobs', 'deployment.environment.name': 'test' },
  });
  const infos = new Map(Object.values(metrics).map((info) => [info.name as string, info]));
  for (const { name, unit, kind, points } of sent.metrics) {
    expect([name, unit, kind, points > 0]).toEqual([name, infos.get(name)?.unit, infos.get(name)?.kind, true]);
  }
  expect(sent.metrics.map(({ name }) => name)).toContain(metrics.flushDuration.name);
  const before = receiver.received.length;
  server.child.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);
  expect(receiver.received.length).toBeGreaterThan(before);
});

it('a server refuses to start if the OTLP variables ask for an unsupported protocol', async () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
  const { code, stderr } = await runMusterProcess([...start, '--data', join(folder, 'b')], { env });
  expect([code === 0, stderr]).toEqual([false, expect.stringContaining('OTEL_EXPORTER_OTLP_PROTOCOL is "grpc"')]);
});
