/** Findings of the doctor from facts that are hard to bring about for real. */
import { create } from '@bufbuild/protobuf';
import {
  CircuitBreakerStatusSchema,
  CircuitState,
  JobDefinitionSchema,
  QueueSchema,
  SessionState,
  type Worker,
  WorkerSchema,
} from '@muster-jobs/sdk/grpc';
import { describe, expect, it } from 'vitest';
import { checkNode } from '../../../server/cli/doctor/local.ts';
import { checkDays, usualHttpUrl } from '../../../server/cli/doctor/server.ts';
import {
  checkBreakers,
  checkDefinitions,
  checkQueues,
  checkWorkers,
  isServed,
} from '../../../server/cli/doctor/work.ts';

const worker = (changes: object = {}): Worker =>
  create(WorkerSchema, {
    name: 'w',
    sessionId: 's',
    state: SessionState.OPEN,
    handlers: [{ name: 'add', minVersion: 2, maxVersion: 3 }],
    ...changes,
  });
const definition = (version: number, handler = '') =>
  create(JobDefinitionSchema, { name: 'add', version, body: { case: 'task', value: { handler } } });

describe('whether a definition is served', () => {
  it.each([
    [1, '', false],
    [2, '', true],
    [3, 'add', true],
    [4, '', false],
    [2, 'other', false],
  ])('is decided in version %d with handler "%s" as %s', (version, handler, served) => {
    expect(isServed(definition(version, handler), [worker()])).toBe(served);
  });

  it.each([{ deaf: true }, { draining: true }, { state: SessionState.CLOSING }])(
    'is denied for a worker with %j',
    (changes) => {
      expect(isServed(definition(2), [worker(changes)])).toBe(false);
      expect(checkDefinitions([definition(2)], [worker(changes)])).toMatchObject([{ level: 'WARNING' }]);
    },
  );

  it('is affirmed for a workflow, which the control plane runs itself', () => {
    expect(isServed(create(JobDefinitionSchema, { body: { case: 'workflow', value: {} } }), [])).toBe(true);
  });
});

describe('the doctor finds', () => {
  it('missing workers, and deaf and draining ones', () => {
    expect(checkWorkers([])).toMatchObject([
      { level: 'WARNING', message: expect.stringContaining('none is connected') },
    ]);
    expect(checkWorkers([worker({ deaf: true }), worker()])).toMatchObject([
      { level: 'OK', message: '2 connected, 1 of them take jobs' },
      { level: 'ERROR', message: 'deaf, so nothing is assigned to them: w (s)' },
    ]);
    expect(checkWorkers([worker({ draining: true })])).toMatchObject([{ level: 'WARNING' }, { level: 'NOTE' }]);
  });

  it('missing partitions of the days ahead', () => {
    expect([{}, { daysAhead: 7 }, { daysAhead: 4 }].flatMap(checkDays)).toEqual([]);
    expect(checkDays({ daysAhead: 3 })).toMatchObject([
      { check: 'partitions', level: 'WARNING', message: 'made for 3 of the next 7 days' },
    ]);
  });

  it('paused queues, and queues whose jobs have no worker', () => {
    const mails = create(QueueSchema, { name: 'mails', paused: true, pauseReason: 'moving', counts: { ready: 3n } });
    const slow = create(QueueSchema, { name: 'slow', counts: { ready: 5n } });
    const waiting = [{ queue: slow, definitions: [definition(9)] }];
    expect(checkQueues([mails, slow], waiting, [worker()])).toMatchObject([
      {
        message: 'mails is paused (moving), with 3 ready jobs in it',
        next: 'muster queues resume mails resumes it',
      },
      { message: 'slow has 5 ready jobs, and no worker for add' },
    ]);
    expect(checkQueues([slow], [{ queue: slow, definitions: [definition(2)] }], [worker()])).toMatchObject([
      { level: 'OK' },
    ]);
  });

  it('open breakers', () => {
    const breaker = (state: CircuitState) =>
      create(CircuitBreakerStatusSchema, { name: 'mail', failureCount: 7, state });
    expect(checkBreakers([breaker(CircuitState.CLOSED)])).toMatchObject([{ level: 'OK' }]);
    expect(checkBreakers([breaker(CircuitState.OPEN)])).toMatchObject([{ level: 'WARNING' }]);
  });

  it('an old Node', () => {
    expect(checkNode('22.1.0')).toMatchObject({ level: 'ERROR' });
    expect(checkNode('24.0.0')).toMatchObject({ level: 'OK' });
  });
});

describe('the URL of the HTTP port', () => {
  it.each([
    ['127.0.0.1:7070', 'http://127.0.0.1:7080'],
    ['[::1]:7070', 'http://[::1]:7080'],
    ['muster.example.com:9000', 'http://muster.example.com:9010'],
    ['dns:///muster:7070', 'http://muster:7080'],
    ['dns://8.8.8.8/muster:7070', 'http://muster:7080'],
    ['unix:/run/muster.sock', undefined],
    ['ipv4:10.0.0.1:7070,10.0.0.2:7070', undefined],
  ])('for server %s is %s', (server, url) => {
    expect(usualHttpUrl(server)).toBe(url);
  });
});
