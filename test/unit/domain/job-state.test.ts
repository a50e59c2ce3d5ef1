/** The whole table of transitions, and its numbers compared with the contract's. */

import { AttemptOutcome } from '@muster-jobs/sdk/gen/muster/v1/attempt_pb';
import { FailureCause } from '@muster-jobs/sdk/gen/muster/v1/failure_pb';
import { JobState as WireState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { describe, expect, it } from 'vitest';
import { failureCauses } from '../../../server/domain/base/payload.ts';
import {
  heldStates,
  isLegal,
  isTerminal,
  type JobEvent,
  type JobState,
  sourcesOf,
  stateCodes,
  stateOf,
  terminalStates,
  transitions,
} from '../../../server/domain/jobs/job-state.ts';
import { attemptOutcomes } from '../../../server/domain/jobs/run.ts';

const states = Object.keys(stateCodes) as JobState[];
const events = Object.keys(transitions) as JobEvent[];
const arrows = events.flatMap((event) =>
  sourcesOf(event).flatMap((from) => (transitions[event][from] ?? []).map((to) => ({ event, from, to }))),
);

describe('the enum numbers of the contract', () => {
  it.each([
    ['JobState', stateCodes, WireState],
    ['AttemptOutcome', attemptOutcomes, AttemptOutcome],
    ['FailureCause', failureCauses, FailureCause],
  ])('are those of the domain: %s', (_name, ours: Record<string, number>, wire: Record<string, number>) => {
    const named = Object.fromEntries(Object.entries(wire).filter(([name]) => name !== 'UNSPECIFIED'));
    expect(ours).toEqual(named);
  });

  it('map back to their states, and other numbers to none', () => {
    for (const state of states) expect(stateOf(stateCodes[state])).toBe(state);
    for (const code of [0, 14, -1, Number.NaN]) expect(() => stateOf(code)).toThrow(/unknown job state/);
  });
});

describe('the table of transitions', () => {
  it('has no transition out of a terminal state', () => {
    expect(arrows.filter(({ from }) => isTerminal(from))).toEqual([]);
    expect(states.filter(isTerminal).sort()).toEqual([...terminalStates].sort());
  });

  it('ends a cancel only as CANCELLED, or as a success that came first', () => {
    const out = arrows.filter(({ from }) => from === 'CANCELLING');
    expect(out.filter(({ to }) => to !== 'CANCELLED')).toEqual([
      { event: 'succeed', from: 'CANCELLING', to: 'SUCCEEDED' },
      // A shorter grace period.
      { event: 'requestCancel', from: 'CANCELLING', to: 'CANCELLING' },
    ]);
  });

  it('lets only the control plane start and end a workflow or a wait', () => {
    expect(sourcesOf('start')).toEqual(['READY']);
    expect(
      arrows
        .filter(({ to }) => to === 'WAITING')
        .map(({ event }) => event)
        .sort(),
    ).toEqual(['await', 'pause', 'raise', 'resume', 'resume', 'start', 'suspend', 'suspend', 'timeOut', 'timeOut']);
    expect(sourcesOf('await')).toEqual(['READY']);
  });

  it('assigns only from READY, and succeeds only from leased attempts', () => {
    expect(sourcesOf('claim')).toEqual(['READY']);
    expect(sourcesOf('succeed').sort()).toEqual([...heldStates].sort());
  });

  it("releases a session's leases for each way that a session can end or give up", () => {
    for (const event of ['abort', 'lapse', 'closeSession', 'confirmCancel'] as const) {
      expect(sourcesOf(event).sort()).toEqual([...heldStates].sort());
    }
  });

  it('releases only attempts that were not seen running', () => {
    expect(sourcesOf('release').sort()).toEqual(['ASSIGNED', 'CANCELLING']);
  });

  it('can cancel every open state', () => {
    const open = states.filter((state) => !isTerminal(state));
    expect(sourcesOf('requestCancel').sort()).toEqual(open.sort());
  });

  it('reaches an end from every open state', () => {
    const reached = new Set<JobState>(terminalStates);
    for (const _ of states) for (const { from, to } of arrows) if (reached.has(to)) reached.add(from);
    expect([...reached].sort()).toEqual([...states].sort());
  });

  it('agrees with isLegal', () => {
    for (const event of events) {
      for (const from of states) {
        const allowed = states.filter((to) => isLegal(event, from, to));
        expect([...(transitions[event][from] ?? [])].sort()).toEqual(allowed.sort());
      }
    }
  });
});
