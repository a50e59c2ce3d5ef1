/** `muster trace`: the tree of a job's spans from its stored rows, with ids derived from the job's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spanIdOf } from '../../../../server/domain/events/trace.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let server: CliServer;

beforeAll(async () => {
  server = await startCliServer();
});

afterAll(() => server?.stop());

interface Document {
  readonly traceId: string;
  readonly callerSpanId: string;
  readonly spans: readonly {
    readonly name: string;
    readonly phase: string;
    readonly attempt: number;
    readonly spanId: string;
    readonly parentSpanId: string;
    readonly startTime: string;
    readonly endTime?: string;
    readonly failed: boolean;
    readonly attributes: Readonly<Record<string, unknown>>;
    readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  }[];
}

async function documentOf(jobId: string): Promise<Document> {
  const { code, stdout, stderr } = await server.run(['trace', jobId, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

describe('muster trace', () => {
  it('draws each attempt with its wait, its worker, its failure and its predecessor', async () => {
    const { jobId } = await server.client.submit('fail', undefined, { traceparent: CALLER });
    await server.client.wait(jobId);
    const { sessionId = '' } = (await server.client.get(jobId)).attempts[0] ?? {};
    const { code, stdout, stderr } = await server.run(['trace', jobId]);
    expect([code, stderr]).toEqual([0, '']);
    const id = (attempt: number, phase: 'job' | 'wait' | 'attempt') => spanIdOf(jobId, attempt, phase);
    const row = (tree: string, spanId: string, what: string) =>
      `${tree} +\\+[\\d.]+m?s +[\\d.]+m?s +${spanId}${what === '' ? '' : `  ${what}`} *`;
    const failed = 'FAILED, TypeError: no \\\\e\\[31mway \\(APPLICATION\\)';
    const process = (tree: string) => `${tree}└─ process +worker cli-worker, session ${sessionId}`;
    const lines = [
      `Trace 0af7651916cd43dd8448eb211c80319c  job ${jobId}  FAILED`,
      'SPAN +START +TOOK +ID +WHAT',
      'caller of fail +b7ad6b7169203331  the span that submitted it',
      row('job fail', id(0, 'job'), 'queue default, TypeError: no \\\\e\\[31mway'),
      row('├─ wait 1', id(1, 'wait'), ''),
      row('├─ attempt 1', id(1, 'attempt'), failed),
      process('│  '),
      row('├─ wait 2', id(2, 'wait'), ''),
      row('└─ attempt 2', id(2, 'attempt'), `${failed}, after span ${id(1, 'attempt')}`),
      process('   '),
    ];
    expect(stdout).toMatch(new RegExp(`^${lines.join('\\n')}\\n$`));
  });

  it('has with --json every span with its parent, its times and its attributes', async () => {
    const { jobId } = await server.client.submit('add', { a: 1, b: 2 });
    await server.client.wait(jobId);
    const { sessionId } = (await server.client.get(jobId)).attempts[0] ?? {};
    const { traceId, callerSpanId, spans } = await documentOf(jobId);
    expect([traceId, callerSpanId]).toEqual([jobId.replaceAll('-', ''), '']);
    expect(spans.map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([
      ['job add', ''],
      ['wait add', spans[0]?.spanId],
      ['attempt add', spans[0]?.spanId],
    ]);
    expect(spans.map(({ failed, links }) => [failed, links])).toEqual(spans.map(() => [false, []]));
    const [job, wait, attempt] = spans;
    expect([wait?.startTime, wait?.endTime, attempt?.endTime]).toEqual([
      job?.startTime,
      attempt?.startTime,
      job?.endTime,
    ]);
    expect(attempt?.startTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(attempt?.attributes).toEqual({
      'messaging.system': 'muster',
      'messaging.destination.name': 'add',
      'messaging.message.id': jobId,
      'muster.namespace': 'default',
      'muster.queue': 'default',
      'muster.definition': 'add',
      'muster.attempt.number': 1,
      'muster.attempt.outcome': 'SUCCEEDED',
      'muster.attempt.counted': true,
      'muster.session.id': sessionId,
      'muster.worker.name': 'cli-worker',
    });
  });

  it('shows open spans: a wait without a worker, an attempt that runs', async () => {
    const { jobId: idle } = await server.client.submit('idle');
    expect((await documentOf(idle)).spans.map(({ name, endTime }) => [name, endTime])).toEqual([
      ['job idle', undefined],
      ['wait idle', undefined],
    ]);
    const { jobId: gate } = await server.client.submit('gate');
    await eventually('it runs', async () => (await server.client.get(gate)).attempts.length === 1);
    const { stdout } = await server.run(['trace', gate]);
    expect(stdout).toMatch(/└─ attempt 1 +\+\S+ +… +[0-9a-f]{16} {2}open\n {3}└─ process +worker cli-worker/);
    server.open();
    await server.client.wait(gate);
  });

  it('ends a wait that a cancel ended with its job', async () => {
    const { jobId } = await server.client.submit('idle');
    await server.client.cancel(jobId);
    const { spans } = await documentOf(jobId);
    expect(spans.map(({ name, endTime }) => [name, endTime])).toEqual([
      ['job idle', spans[0]?.endTime],
      ['wait idle', spans[0]?.endTime],
    ]);
    expect(spans[0]).toMatchObject({ failed: false, attributes: { 'muster.job.state': 'CANCELLED' } });
  });

  it('shows a retry of another job as a trace of its own, linked to that job', async () => {
    const { jobId } = await server.client.submit('fail', undefined, { traceparent: CALLER });
    await server.client.wait(jobId);
    const { jobId: retry } = await server.client.retry(jobId);
    await server.client.wait(retry);
    const { traceId, spans } = await documentOf(retry);
    expect(traceId).toBe(retry.replaceAll('-', ''));
    const link = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: spanIdOf(jobId, 0, 'job') };
    expect(spans[0]?.links).toEqual([{ ...link, attributes: { 'muster.link.kind': 'retry_of' } }]);
    expect((await server.run(['trace', retry])).stdout).toContain(`after trace ${link.traceId}`);
  });

  it('reports an unknown job', async () => {
    const nobody = await server.run(['trace', '0198c0de-0000-7000-8000-000000000003']);
    expect(nobody).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('JOB_NOT_FOUND') });
  });
});
