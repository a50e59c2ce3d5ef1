/** `muster send-signal`, `approve` and `reject`, on a real server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

const definitions = `
name: payment
wait: { signal: { name: payment-received, key: input.order } }
---
name: sign-off
wait: { approval: {} }
runTimeout: 3d
`;

let server: CliServer;

beforeAll(async () => {
  server = await startCliServer();
  const applied = await server.run(['apply', '-f', '-'], { stdin: definitions });
  expect([applied.code, applied.stderr]).toEqual([0, '']);
});

afterAll(() => server?.stop());

async function submitted(...args: string[]): Promise<string> {
  const { code, stdout } = await server.run(['submit', ...args, '--json']);
  expect(code).toBe(0);
  const { jobId } = JSON.parse(stdout);
  await eventually('it waits', async () =>
    (await server.run(['get', jobId, '--json'])).stdout.includes('JOB_STATE_WAITING'),
  );
  return jobId;
}

describe('signal waits', () => {
  it('are shown as they were written', async () => {
    const { stdout } = await server.run(['definitions', 'get', 'payment', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      wait: { signal: { name: 'payment-received', key: 'input.order' } },
      runTimeout: '2592000s',
    });
  });

  it('end with signals, which are kept if no job waits', async () => {
    const jobId = await submitted('payment', '--input', '{"order": "a"}');
    const explained = await server.run(['explain', jobId]);
    expect(explained.stdout).toContain('waits for signal payment-received with key a');
    const sent = await server.run(['send-signal', 'payment-received', '--key', 'a', '--data', '{"cents": 5}']);
    expect([sent.code, sent.stdout]).toEqual([0, 'It has reached 1 job\n']);
    const kept = await server.run(['send-signal', 'payment-received', '--key', 'a', '--keep', '1d', '--json']);
    expect(JSON.parse(kept.stdout)).toEqual({ kept: true });
    const dropped = await server.run(['send-signal', 'nothing', '--keep', '0s']);
    expect(dropped.stdout).toBe('No job waits for it, and it is not kept\n');
    const again = ['send-signal', 'twice', '--request-id', '0198c0de-0000-7000-8000-00000000abcd'];
    expect((await server.run(again)).stdout).toBe('No job waits for it: it is kept for the first one that will\n');
    expect((await server.run(again)).stdout).toBe('It was sent before: nothing was done\n');
  });

  it('end with approvals and rejections', async () => {
    const good = await submitted('sign-off');
    const approved = await server.run(['approve', good, '--comment', 'looks fine', '--data', '{"limit": 5}']);
    expect([approved.code, approved.stdout]).toEqual([0, `Job ${good} SUCCEEDED: approved: looks fine\n`]);
    const bad = await submitted('sign-off');
    const rejected = await server.run(['reject', bad, '--reason', 'too dear']);
    expect([rejected.code, rejected.stdout]).toEqual([0, `Job ${bad} FAILED: too dear\n`]);
    const late = await server.run(['approve', bad]);
    expect(late.code).toBe(4);
    expect(late.stderr).toMatch(/has ended FAILED already/);
    expect(late.stderr).toMatch(/muster explain JOB says what it waits for/);
  });

  it.each([
    [['send-signal', 'Bad Name'], 2, /name/],
    [['send-signal', 'paid', '--data', '{'], 2, /is not JSON/],
    [['send-signal', 'paid', '--keep', '31d'], 2, /\(--keep\)/],
    [['approve', 'x'], 2, /job_id/],
    [['reject', '0198c0de-0000-7000-8000-00000000ffff'], 3, /no job/],
  ])('refuse %j', async (args, code, message) => {
    const refused = await server.run(args);
    expect(refused.code).toBe(code);
    expect(refused.stderr).toMatch(message);
  });
});
