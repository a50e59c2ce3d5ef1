/** Bugs planted in the Go worker: one for each part of the protocol. */
import { type Bug, inFile } from './bug.ts';

const CORE = 'sdk/go/internal/core';

export const goBugs: readonly Bug[] = [
  inFile(
    'keeps credits over a broken bus',
    'credit-bus-broken',
    `${CORE}/session.go`,
    'func (s *session) broken() { s.grants.voidAll()',
    'func (s *session) broken() {',
  ),
  inFile(
    'takes what comes twice for new',
    'assign-doubled-reordered',
    `${CORE}/acceptance.go`,
    'case facts.held || facts.seen:',
    'case facts.held && facts.seen && facts.draining:',
  ),
  inFile(
    'has no fence',
    'fence-aborts',
    `${CORE}/fence.go`,
    'return !now.Before(f.at)',
    'return !now.Before(f.at.Add(time.Hour))',
  ),
  inFile(
    'reports once',
    'report-unavailable',
    `${CORE}/reports.go`,
    'default: r.again(batch, failure)',
    'default:\nfor _, report := range batch {\nr.owner.acknowledged(report.held)\n}',
  ),
  inFile(
    'tells handlers of no cancel',
    'cancel-obeyed',
    `${CORE}/attempts.go`,
    'if entry.execution.signal(Cancelled) {',
    'if entry.execution.stopped == Cancelled {',
  ),
  inFile(
    'forgets the checkpoint of a failed beat',
    'checkpoint-beat-failed',
    `${CORE}/session.go`,
    'if failure.Code == codes.InvalidArgument {',
    'if failure.Code != codes.OK {',
  ),
];
