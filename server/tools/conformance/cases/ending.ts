/** How a worker ends: on request of the server, on a signal, or not at all. */
import type { Case, Group, Step } from '../case.ts';
import { unavailable } from '../refusal.ts';
import type { Stage } from '../stage.ts';
import { assign } from '../steps/assignments.ts';
import { spoil } from '../steps/faults.ts';
import { act, check, ends, never, ready, signal, until } from '../steps/life.ts';
import { isHeld, released, reported, result } from '../steps/outcomes.ts';
import { works } from '../steps/proof.ts';
import { returns, script } from '../steps/work.ts';

const RULE = 'Draining and ending';
const napping = script({ do: 'sleep', ms: 2_500 }, { do: 'return', value: 'rested' });

/** Maximum deadlines, with some tolerance for rounding; the heartbeat interval is a second here. */
const mostDeadlineMs: Readonly<Record<string, number>> = {
  ReportAttempts: 12_000,
  SendHeartbeat: 1_200,
  CloseSession: 5_000,
};

const closed = check('CloseSession came, after all reports', ({ plane, session }) => {
  if (!session.isClosed) return 'it did not';
  const names = plane.calls.map(({ method }) => method);
  return names.lastIndexOf('ReportAttempts') < names.lastIndexOf('CloseSession') ? undefined : 'a report came after it';
});

const draining = until(
  'a beat that says so, and void credits',
  ({ session }: Stage) =>
    session.beats.at(-1)?.request.draining === true && session.ledger.slots(performance.now()) === 0,
);

/** A handler runs to its end; attempts that arrive meanwhile are released. */
const drains = (name: string, proves: string, ask: Step): Case => ({
  name,
  rule: RULE,
  proves,
  steps: [
    ready,
    act('remembers the credit', ({ session, kept }) => kept.set('credit', session.ledger.all.at(-1)?.id ?? 0)),
    assign('a', napping),
    isHeld('a'),
    ask,
    draining,
    assign('b', returns('too late'), { credit: ({ kept }) => kept.get('credit') ?? 0 }),
    reported('b', released('DRAIN')),
    act('the process may end', (stage) => stage.allowEnd()),
    reported('a', result('rested')),
    ends(true),
    closed,
  ],
});

export const endingCases: Group = {
  title: 'Draining and ending',
  cases: [
    drains(
      'drain-asked',
      'Asked to drain by an answer, a worker voids its credits, releases with DRAIN, lets handlers end, closes its session, and ends with exit code 0.',
      act('asks it to drain', ({ session }) => {
        session.drain = true;
      }),
    ),
    drains('drain-sigterm', 'SIGTERM makes a worker drain as an answer does.', signal('SIGTERM')),
    drains('drain-sigint', 'SIGINT makes a worker drain as an answer does.', signal('SIGINT')),
    {
      name: 'call-deadlines',
      rule: 'Calls',
      proves: 'Deadlines are about 10 s for reports, one interval for beats, and a few seconds for CloseSession.',
      steps: [
        ready,
        works,
        signal('SIGTERM'),
        ends(true),
        check('deadlines are no longer than that', ({ plane }) => {
          const late = plane.calls.find(
            ({ method, leftMs }) => leftMs > (mostDeadlineMs[method] ?? Number.POSITIVE_INFINITY),
          );
          return late && `${late.method} has a deadline ${Math.round(late.leftMs)} ms away`;
        }),
      ],
    },
    {
      name: 'drain-idle',
      rule: RULE,
      proves: 'A worker that holds nothing closes its session at once, and ends.',
      steps: [ready, signal('SIGTERM'), ends(true, 10_000), closed],
    },
    {
      name: 'drain-reports-fail',
      rule: RULE,
      proves: 'A draining worker ends only when its reports are answered.',
      steps: [
        ready,
        spoil('ReportAttempts', { seen: unavailable, times: 4 }),
        assign('a', script({ do: 'sleep', ms: 800 }, { do: 'return', value: 'rested' })),
        isHeld('a', false),
        act('the process may end', (stage) => stage.allowEnd()),
        signal('SIGTERM'),
        reported('a', result('rested')),
        ends(true),
        closed,
      ],
    },
    {
      name: 'drain-close-fails',
      rule: RULE,
      proves: 'A failed CloseSession does not keep the process alive.',
      steps: [ready, spoil('CloseSession', { seen: unavailable, times: 100 }), signal('SIGTERM'), ends(true)],
    },
    {
      name: 'killed',
      rule: RULE,
      proves: 'A killed process reports nothing.',
      steps: [
        ready,
        act('kills the process', (stage) => {
          stage.allowEnd();
          stage.lab.process?.signalAll('SIGKILL');
        }),
        until('the process has ended', ({ lab }) => lab.process?.ended),
        act('counts its calls', ({ plane, kept }) => kept.set('calls', plane.calls.length)),
        never(
          'calls of a process that has ended',
          1_500,
          ({ plane, kept }) => plane.calls.length > (kept.get('calls') ?? 0),
        ),
      ],
    },
  ],
};
