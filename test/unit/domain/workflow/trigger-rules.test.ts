/** The trigger rules of Airflow, as a table derived from how Airflow judges its task instances. */
import { describe, expect, it } from 'vitest';
import type { EndedStepState } from '../../../../server/domain/workflows/step-state.ts';
import { decideRule, noneEnded, withEnd } from '../../../../server/domain/workflows/trigger-rules.ts';
import { type TriggerRule, triggerRules } from '../../../../server/domain/workflows/workflow.ts';

/** One letter per need. A dot is a need that has not ended. */
const outcomes: Readonly<Record<string, EndedStepState>> = {
  O: 'SUCCEEDED',
  F: 'FAILED',
  U: 'UPSTREAM_FAILED',
  S: 'SKIPPED',
};

const decisions = { '-': 'WAIT', run: 'START', skip: 'SKIP', uf: 'UPSTREAM_FAILED' } as const;

function decided(rule: TriggerRule, needs: string) {
  const ended = [...needs].flatMap((letter) => outcomes[letter] ?? []);
  return decideRule(rule, ended.reduce(withEnd, noneEnded), needs.length);
}

// Ends of the needs:          ..  O.  F.  U.  S.     OO  OF  OU  OS    FF  FU  FS    UU  US    SS
const columns = '              ..  O.  F.  U.  S.     OO  OF  OU  OS    FF  FU  FS    UU  US    SS'.trim().split(/\s+/);

const table: Readonly<Record<TriggerRule, string>> = {
  ALL_SUCCESS: '                -   -   uf  uf  skip   run uf  uf  skip  uf  uf  uf    uf  uf    skip',
  ALL_FAILED: '                 -   skip -  -   skip   skip skip skip skip run run skip run skip  skip',
  ALL_DONE: '                   -   -   -   -   -      run run run run   run run run   run run   run',
  ALL_DONE_MIN_ONE_SUCCESS: '   -   -   -   -   skip   run run run skip  uf  uf  skip  uf  skip  skip',
  ALL_SKIPPED: '                -   skip skip skip -   skip skip skip skip skip skip skip skip skip run',
  ONE_SUCCESS: '                -   run -   -   -      run run run run   uf  uf  uf    uf  uf    skip',
  ONE_FAILED: '                 -   -   run run -      skip run run skip run run run   run run   skip',
  ONE_DONE: '                   -   run run -   -      run run run run   run run run   skip skip skip',
  NONE_FAILED: '                -   -   uf  uf  -      run uf  uf  run   uf  uf  uf    uf  uf    run',
  NONE_FAILED_MIN_ONE_SUCCESS: '-   -   uf  uf  -      run uf  uf  run   uf  uf  uf    uf  uf    skip',
  NONE_SKIPPED: '               -   -   -   -   skip   run run run skip  run run skip  run skip  skip',
  ALWAYS: '                     run run run run run    run run run run   run run run   run run   run',
  ALL_DONE_SETUP_SUCCESS: '     -   -   -   -   -      run run run run   uf  uf  uf    uf  uf    skip',
};

const rules = Object.keys(triggerRules) as TriggerRule[];

describe('decideRule', () => {
  it.each(rules)('judges %s as Airflow does', (rule) => {
    const words = table[rule].trim().split(/\s+/) as (keyof typeof decisions)[];
    expect(words).toHaveLength(columns.length);
    const expected = words.map((word, i) => `${columns[i]} ${decisions[word]}`);
    expect(columns.map((needs) => `${needs} ${decided(rule, needs)}`)).toEqual(expected);
  });

  it.each(rules)('starts a step without needs under %s', (rule) => {
    expect(decideRule(rule, noneEnded, 0)).toBe('START');
  });
});
