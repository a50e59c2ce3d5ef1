/** River's uniqueness, case by case: which submissions have the same key, and which jobs block each other. */
import { describe, expect, it } from 'vitest';
import { definitionDefaults, type JobDefinition } from '../../../../server/domain/definitions/definition.ts';
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import {
  blockingStates,
  isBlocking,
  missingStates,
  type Uniqueness,
} from '../../../../server/domain/jobs/submission-rule.ts';
import { type RuledSubmission, ruleKeysOf } from '../../../../server/engine/jobs/submit/rules.ts';
import type { RuleKey, Submission } from '../../../../server/engine/ports/submissions.ts';
import { VirtualTime } from '../base/virtual-time.ts';

const parts = { timers: new VirtualTime(), startingAt: () => ({}) };
const MINUTE_MS = 60_000;
/** The first moment of a quarter of an hour. */
const QUARTER_US = 1_795_000_500_000_000;

interface Case {
  readonly input?: unknown;
  readonly contentType?: string;
  readonly queue?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly version?: number;
  readonly atUs?: number;
}

function ruled(rule: Partial<Uniqueness>, one: Case): RuledSubmission {
  const { input = {}, contentType = 'application/json', queue = '', kind = 'kind', namespace = 'default' } = one;
  const uniqueness = {
    byInput: false,
    fields: [],
    byQueue: false,
    states: blockingStates([]),
    policy: 'REJECT',
    ...rule,
  };
  const text = typeof input === 'string' ? input : JSON.stringify(input);
  const definition = { ...definitionDefaults, name: kind, version: one.version ?? 1, uniqueness };
  const submission = { input: { data: Buffer.from(text), contentType }, queue };
  return {
    index: 0,
    namespace,
    submission: submission as unknown as Submission,
    definition: definition as unknown as JobDefinition,
    path: 'job',
  };
}

async function keyOf(rule: Partial<Uniqueness>, one: Case): Promise<string> {
  const [key] = (await ruleKeysOf(parts, [ruled(rule, one)], one.atUs ?? QUARTER_US)) as [RuleKey];
  return Buffer.from(key.hash).toString('hex');
}

const quarter = { periodMs: 15 * MINUTE_MS };
const base = { input: { a: 1, b: { c: 2 } } };

type Row = readonly [what: string, rule: Partial<Uniqueness>, one: Case, two: Case, same: boolean];
const rows: readonly Row[] = [
  ['by nothing: the kind alone', {}, { input: 1 }, { input: 2 }, true],
  ['the kind is always part of it', {}, { kind: 'a' }, { kind: 'b' }, false],
  ['whatever the version', {}, { version: 1 }, { version: 2 }, true],
  ['a namespace is a world of its own', {}, { namespace: 'a' }, { namespace: 'b' }, false],
  ['by args: the same', { byInput: true }, base, base, true],
  ['by args: others', { byInput: true }, base, { input: { a: 1 } }, false],
  ['by args: keys in another order', { byInput: true }, base, { input: '{"b": {"c": 2}, "a": 1}' }, true],
  ['by args: lists in another order', { byInput: true }, { input: [1, 2] }, { input: [2, 1] }, false],
  ['by args: no JSON, the same bytes', { byInput: true }, { input: 'x' }, { input: 'x' }, true],
  ['by args: no JSON, other bytes', { byInput: true }, { input: 'x' }, { input: 'y' }, false],
  ['by fields: those are the same', { fields: ['b.c'] }, base, { input: { a: 9, b: { c: 2, d: 3 } } }, true],
  ['by fields: one is another', { fields: ['a', 'b.c'] }, base, { input: { a: 1, b: { c: 3 } } }, false],
  ['not by args: the period alone', quarter, { input: 1 }, { input: 2 }, true],
  ['by period: its first and last moment', quarter, { atUs: QUARTER_US }, { atUs: QUARTER_US + 15 * 60e6 - 1 }, true],
  ['by period: the next one', quarter, { atUs: QUARTER_US }, { atUs: QUARTER_US + 15 * 60e6 }, false],
  ['by period: the one before', quarter, { atUs: QUARTER_US }, { atUs: QUARTER_US - 1 }, false],
  ['by queue: the same', { byQueue: true }, { queue: 'a' }, { queue: 'a' }, true],
  ['by queue: another', { byQueue: true }, { queue: 'a' }, { queue: 'b' }, false],
  ["by queue: the definition's, said or not", { byQueue: true }, { queue: 'default' }, { queue: '' }, true],
  ['not by queue: another', {}, { queue: 'a' }, { queue: 'b' }, true],
  ['by all of it: the same', { byInput: true, byQueue: true, ...quarter }, base, base, true],
  ['by all of it: another queue', { byInput: true, byQueue: true, ...quarter }, base, { ...base, queue: 'b' }, false],
];

describe('the key of a submission', () => {
  it.each(rows)('is compared as in River: %s', async (_, rule, one, two, same) => {
    expect((await keyOf(rule, one)) === (await keyOf(rule, two))).toBe(same);
  });

  it('never equals the key of another rule', async () => {
    const rules = [{}, { byQueue: true }, { byInput: true }, quarter, { fields: ['a'] }, { periodMs: 1_000 }];
    const keys = await Promise.all(rules.map((rule) => keyOf(rule, base)));
    expect(new Set(keys).size).toBe(rules.length);
  });
});

type State = keyof typeof stateCodes;
/** River can leave out retryable jobs. In Muster they wait in the same state as scheduled ones. */
const keptByUsOnly = 'retryable, which River lets be left out';

/** River's states and Muster's: whether a job in it blocks by default, and whether River requires that. */
const states: readonly (readonly [river: string, ours: State, byDefault: boolean, stays: boolean])[] = [
  ['pending', 'BLOCKED', true, true],
  ['scheduled', 'SCHEDULED', true, true],
  ['available', 'READY', true, true],
  ['running: handed out', 'ASSIGNED', true, true],
  ['running', 'RUNNING', true, true],
  [keptByUsOnly, 'SCHEDULED', true, false],
  ['completed', 'SUCCEEDED', true, false],
  ['cancelled', 'CANCELLED', false, false],
  ['discarded', 'FAILED', false, false],
];

describe('an existing job', () => {
  it.each(states)('in state %s (%s) blocks by default: %s; River requires it: %s', (river, state, byDefault, stays) => {
    expect(isBlocking(state, blockingStates([]))).toBe(byDefault);
    const others = (Object.keys(stateCodes) as State[]).filter((one) => one !== state);
    expect(missingStates(others)).toEqual(stays || river === keptByUsOnly ? [state] : []);
  });
});
