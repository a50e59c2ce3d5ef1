/** Bugs planted in the Rust SDK, and the conformance cases that must detect them. */
import { type Bug, inFile } from './bug.ts';

const CORE = 'sdk/rust/src/worker/core';

export const rustBugs: readonly Bug[] = [
  inFile(
    'keeps credits over a broken bus',
    'credit-bus-broken',
    `${CORE}/session.rs`,
    'LinkChange::Broken => { self.attempts.grants.void_all();',
    'LinkChange::Broken => {',
  ),
  inFile(
    'runs again what has ended',
    'assign-duplicate-ended',
    `${CORE}/acceptance.rs`,
    'if facts.held || facts.seen {',
    'if facts.held {',
  ),
  inFile(
    'ignores cancels',
    'cancel-obeyed',
    `${CORE}/attempts.rs`,
    'self.signal(host, id, StopReason::Cancelled);',
    '',
  ),
  inFile(
    'reports only once',
    'report-unavailable',
    `${CORE}/reports.rs`,
    'self.again(host, now, batch, &failure);',
    'over.acknowledged.extend(batch.into_iter().map(|pending| pending.held));',
  ),
];
