/** Bugs planted in the Java SDK, and the conformance cases that must detect them. */
import { type Bug, inFile } from './bug.ts';

const CORE = 'sdk/java/src/main/java/dev/muster/sdk/internal/core';

export const javaBugs: readonly Bug[] = [
  inFile(
    'keeps credits over a broken bus',
    'credit-bus-broken',
    `${CORE}/Session.java`,
    'public void broken() { grants.voidAll();',
    'public void broken() {',
  ),
  inFile(
    'runs again what has ended',
    'assign-duplicate-ended',
    `${CORE}/Acceptance.java`,
    'if (held || seen) {',
    'if (held) {',
  ),
  inFile('ignores cancels', 'cancel-obeyed', `${CORE}/Attempts.java`, 'signal(entry, StopReason.CANCELLED);', ''),
  inFile(
    'reports only once',
    'report-unavailable',
    `${CORE}/Reports.java`,
    'again(batch, failure);',
    'batch.forEach(report -> owner.acknowledged(report.held));',
  ),
];
