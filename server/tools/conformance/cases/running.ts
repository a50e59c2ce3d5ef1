/** What handlers get, and the outcomes of what they return. */
import type { CloseSessionRequest } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import type { Case, Group } from '../case.ts';
import { DEFAULT_TERMS } from '../lab.ts';
import type { Call } from '../plane/rpc-server.ts';
import type { Stage } from '../stage.ts';
import { assign, assignMany } from '../steps/assignments.ts';
import { act, allSlotsOnOffer, check, never, ready, until } from '../steps/life.ts';
import { failure, payloadResult, reported, result, resultThat } from '../steps/outcomes.ts';
import { works } from '../steps/proof.ts';
import { afterStop, bytes, echo, isDeaf, json, returns, script, sleeps, type Work } from '../steps/work.ts';

/** Another process of the worker may close the session of the one that died. */
const closesLost = ({ method, request }: Call) =>
  method === 'CloseSession' && (request as CloseSessionRequest).workerLost;

const odd = Buffer.from('{ "b" : 1.0,\n "a":[9007199254740993, "\\u00e9é"], "b":2 }');
const everyByte = Uint8Array.from({ length: 4_096 }, (_, at) => at % 256);
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const MAX = DEFAULT_TERMS.maxPayload;

const echoed = (
  name: string,
  proves: string,
  data: Uint8Array,
  contentType: string,
  more: Pick<Case, 'needs'> = {},
): Case => ({
  name,
  rule: 'Running',
  proves,
  isShared: true,
  steps: [ready, assign('a', echo(bytes(data, contentType))), reported('a', payloadResult(bytes(data, contentType)))],
  ...more,
});

const fails = (name: string, proves: string, work: Work, expected: Parameters<typeof failure>[0]): Case => ({
  name,
  rule: 'Reports',
  proves,
  isShared: true,
  steps: [ready, assign('a', work), reported('a', failure(expected)), works, allSlotsOnOffer],
});

const failing = (more: object) => script({ do: 'fail', type: 'OutOfPaper', message: 'tray 2 is empty', ...more });
const timedOut = failure({ type: 'RunTimeout', cause: 'TIMEOUT' });

/** Milliseconds from sending the attempt to its first report. */
const tookMs = (stage: Stage) => {
  const { reports, sentAt } = stage.attempt('a');
  return Math.round((reports[0]?.at ?? 0) - sentAt);
};
const took = (least: number, most: number) =>
  check(`that was between ${least} and ${most} ms after`, (stage) => {
    const ms = tookMs(stage);
    return ms >= least && ms <= most ? undefined : `it was after ${ms} ms`;
  });

export const runningCases: Group = {
  title: 'Running',
  cases: [
    echoed('echo-json', 'JSON goes to the handler and comes back byte for byte.', odd, 'application/json'),
    echoed('echo-bytes', 'Bytes of any value come back as they went.', everyByte, 'application/octet-stream'),
    echoed(
      'echo-own-type',
      'A content type that the worker does not know is kept.',
      Buffer.from('a,b\n1,2\n'),
      'text/csv; charset=utf-8',
      { needs: 'content-types' },
    ),
    echoed('echo-empty', 'An empty input with a content type comes back as one.', new Uint8Array(), 'text/plain', {
      needs: 'content-types',
    }),
    echoed('echo-nothing', 'No input comes back as an empty result.', new Uint8Array(), ''),
    echoed(
      'echo-large',
      'The largest possible input comes back whole.',
      new Uint8Array(MAX).fill(0xa5),
      'application/octet-stream',
    ),
    {
      name: 'result-json',
      rule: 'Running',
      proves: 'The return value of a handler is reported as JSON, with its content type.',
      isShared: true,
      steps: [
        ready,
        assign('a', returns({ name: 'Ada', n: [1, 2.5, null, true] })),
        reported('a', result({ name: 'Ada', n: [1, 2.5, null, true] })),
        assign('b', script({ do: 'log', message: 'no return' })),
        reported('b', result(null)),
      ],
    },
    {
      name: 'result-bytes',
      rule: 'Running',
      proves: 'Bytes that a handler returns are reported as application/octet-stream.',
      needs: 'content-types',
      isShared: true,
      steps: [
        ready,
        assign('a', script({ do: 'return_bytes', size: 1_000 })),
        reported('a', payloadResult(bytes(new Uint8Array(1_000), 'application/octet-stream'))),
      ],
    },
    {
      name: 'result-too-large',
      rule: 'Reports',
      proves:
        'A result larger than max_payload is reported as a non-retryable failure; one of exactly that size is a result.',
      needs: 'content-types',
      isShared: true,
      steps: [
        ready,
        assign('a', script({ do: 'return_bytes', size: MAX + 1 })),
        reported('a', failure({ isNonRetryable: true })),
        assign('b', script({ do: 'return_bytes', size: MAX })),
        reported('b', payloadResult(bytes(new Uint8Array(MAX), 'application/octet-stream'))),
      ],
    },
    {
      name: 'handler-context',
      rule: 'Running',
      proves: 'A handler gets its job, attempt, count, definition, checkpoint and trace.',
      isShared: true,
      steps: [
        ready,
        assign('a', script({ do: 'return_context' }), {
          attempt: 7,
          attemptCount: 3,
          checkpoint: json({ at: 41 }),
          more: { definition: 'count-pages', traceparent },
        }),
        reported(
          'a',
          resultThat('the context of the attempt', (given) => {
            if (given.attempt !== 7) return `attempt is ${given.attempt}`;
            if (given.attempt_count !== 3) return `attempt_count is ${given.attempt_count}`;
            if (given.definition !== 'count-pages') return `definition is ${given.definition}`;
            if (JSON.stringify(given.checkpoint) !== '{"at":41}')
              return `checkpoint is ${JSON.stringify(given.checkpoint)}`;
            if (!/^[0-9a-f-]{36}$/.test(String(given.job_id))) return `job_id is ${given.job_id}`;
            return String(given.traceparent).split('-')[1] === traceparent.split('-')[1]
              ? undefined
              : `traceparent is ${given.traceparent}`;
          }),
        ),
      ],
    },
    {
      name: 'handlers-together',
      rule: 'Running',
      proves: 'As many handlers run at once as there are slots.',
      steps: [
        ready,
        assignMany('a', 10, () => sleeps(1_500)),
        until(
          'a beat lists ten as started',
          ({ session }) => session.beats.at(-1)?.request.heldAttempts.filter(({ started }) => started).length === 10,
        ),
        ...Array.from({ length: 10 }, (_, at) => reported(`a${at + 1}`, result(null))),
      ],
    },
    fails('failure-typed', 'A typed failure has its type and message.', failing({}), {
      type: 'OutOfPaper',
      message: 'tray 2 is empty',
    }),
    fails(
      'failure-non-retryable',
      "A failure that another attempt can't help is marked as non-retryable.",
      failing({ non_retryable: true }),
      {
        type: 'OutOfPaper',
        isNonRetryable: true,
      },
    ),
    fails(
      'failure-retry-delay',
      'A failure may say when the next attempt should come.',
      failing({ retry_delay_ms: 1_500 }),
      { type: 'OutOfPaper', retryDelayMs: 1_500 },
    ),
    fails(
      'failure-raised',
      'An ordinary error of the language is a failure with a type and its message.',
      script({ do: 'raise', message: 'out of luck' }),
      { message: 'out of luck' },
    ),
    fails(
      'failure-panic',
      'A panic of a handler fails its attempt, and the worker continues.',
      script({ do: 'panic', message: 'all is lost' }),
      { message: 'all is lost' },
    ),
    {
      name: 'input-undecodable',
      rule: 'Running',
      proves: 'An input that does not match its content type fails the attempt, and the worker continues.',
      isShared: true,
      steps: [
        ready,
        assign('a', { handler: 'script', input: bytes(Uint8Array.of(0x7b, 0xff, 0xfe, 0x00), 'application/json') }),
        reported('a', failure({ isNonRetryable: 'any' })),
        works,
      ],
    },
    {
      name: 'run-timeout',
      rule: 'Running',
      proves: 'A handler that stops when its run timeout is over is reported as RunTimeout once it has returned.',
      isShared: true,
      steps: [
        ready,
        assign('a', script({ do: 'until_stopped' }), { runTimeoutMs: 700 }),
        reported('a', timedOut),
        took(600, 4_000),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'run-timeout-returned',
      rule: 'Running',
      proves: 'A value that a handler returns after its run timeout is no result.',
      isShared: true,
      steps: [
        ready,
        assign('a', afterStop({ do: 'return', value: 'late' }), { runTimeoutMs: 500 }),
        reported('a', timedOut),
        took(400, 4_000),
      ],
    },
    {
      name: 'run-timeout-deaf',
      rule: 'Running',
      proves:
        'A handler that does not stop is reported as RunTimeout five seconds later, and keeps its slot until it returns.',
      slots: 3,
      steps: [
        ready,
        assign('a', isDeaf(10_000), { runTimeoutMs: 1_500 }),
        reported('a', timedOut, { withinMs: 10_000 }),
        took(6_000, 8_500),
        never('credits for its slot', 1_000, ({ session }) => session.ledger.slots(performance.now()) > 2),
        allSlotsOnOffer,
        check('that was after it returned', (stage) => {
          const ms = performance.now() - stage.attempt('a').sentAt;
          return ms > 9_500 ? undefined : `it was ${Math.round(ms)} ms after it was assigned`;
        }),
      ],
    },
    {
      name: 'run-timeout-extended',
      rule: 'Running',
      proves: 'A handler that asks for more time gets it, and the server gets the sum of all requests.',
      isShared: true,
      steps: [
        ready,
        assign(
          'a',
          script(
            { do: 'extend', ms: 2_000 },
            { do: 'extend', ms: 2_000 },
            { do: 'sleep', ms: 2_500 },
            { do: 'return', value: 'done' },
          ),
          { runTimeoutMs: 1_000 },
        ),
        reported('a', result('done')),
        check('the server got 4 s', (stage) => {
          const shown = stage.attempt('a').updates.map(({ runTimeoutExtension: more }) => Number(more?.seconds ?? 0));
          return shown.includes(4) ? undefined : `it got ${shown.join(', ') || 'nothing'}`;
        }),
      ],
    },
    {
      name: 'handler-exits',
      rule: 'Draining and ending',
      proves:
        'A process that just dies reports nothing more: a lapse, or another process of its worker, gives its attempts back.',
      steps: [
        ready,
        act('the process may end', (stage) => stage.allowEnd()),
        assign('a', script({ do: 'exit', code: 3 })),
        until('the process has ended', ({ lab }) => lab.process?.ended),
        check('nothing was reported', (stage) => (stage.attempt('a').reports.length === 0 ? undefined : 'a was')),
        check('it did not close the session', ({ plane }) =>
          plane.calls.some((call) => call.method === 'CloseSession' && !closesLost(call)) ? 'it did' : undefined,
        ),
        never('calls of a process that has ended', 1_500, ({ plane, kept }) => {
          const calls = plane.calls.filter((call) => !closesLost(call)).length;
          const before = kept.get('calls') ?? calls;
          kept.set('calls', before);
          return calls > before;
        }),
      ],
    },
  ],
};
