/** Bugs planted in a copy of the Python SDK, and the conformance cases that must detect them. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyPatch } from '../../simulation/mutants/plant.ts';
import type { Bug } from './bug.ts';

/** The import path of Python, relative to the checkout. */
const SOURCE = 'sdk/python/src';

/** `replace` replaces `find` within one or more lines. Text after a line break needs its own indentation. */
function inWorker(name: string, fails: string, file: string, find: string, replace: string): Bug {
  return { name, fails, patches: [{ file: `${SOURCE}/muster/worker/${file}`, find, replace }] };
}

export const pythonBugs: readonly Bug[] = [
  inWorker(
    'keeps credits over a broken bus',
    'credit-bus-broken',
    'grants.py',
    'self._receives_bus = False self._state.credits.void_all()',
    'self._receives_bus = False',
  ),
  inWorker(
    'does not know duplicates',
    'assign-duplicate-ended',
    'acceptance.py',
    'if facts.is_known or facts.is_fenced or facts.is_full:',
    'if facts.is_fenced or facts.is_full:',
  ),
  inWorker(
    'has no fence',
    'fence-aborts',
    'fence.py',
    'self._span = lease - min(MARGIN_SECONDS, lease * _MARGIN_SHARE)',
    'self._span = lease + 1e9',
  ),
  inWorker(
    'reports once',
    'report-unavailable',
    'session_core.py',
    'self._state.outbox.settle(pending.batch, pending.batch)',
    'self._state.outbox.settle(pending.batch, [])',
  ),
  inWorker(
    'ignores cancels',
    'cancel-obeyed',
    'intake.py',
    'self._stop(held, RELEASE_REASON_CANCELLED, StopReason.CANCELLED)',
    'pass',
  ),
  inWorker(
    'reports a failure after it was asked to suspend',
    'suspend-failed',
    'reports.py',
    'stopped_for is StopReason.SUSPENDED and',
    'False and',
  ),
  inWorker(
    'forgets what a failed beat carried',
    'checkpoint-beat-failed',
    'session_core.py',
    'self._grants.forget(beat.request.credits, is_broken=is_broken)',
    'self._state.progress.confirm(beat.request.progress)',
  ),
  inWorker(
    'ignores LEASE_LOST of a beat',
    'lease-lost-beat',
    'session_life.py',
    'if error.is_lease_lost:',
    'if False:',
  ),
  inWorker(
    'ends before its reports are answered',
    'drain-reports-fail',
    'session_core.py',
    '(state.held.running_count or len(state.outbox) or state.awaiting_beat)',
    'state.held.running_count',
  ),
  inWorker(
    'sends heartbeats sooner than the server asks',
    'beat-exhausted',
    'beat_schedule.py',
    'wait = self._backoff.fail() + (retry_after or 0.0)',
    'wait = self._backoff.fail()',
  ),
];

export interface PlantedCopy {
  /** The value for PYTHONPATH. */
  readonly folder: string;
  remove(): void;
}

/** @throws Error unless the text of each patch occurs exactly once. */
export function plantInCopy({ patches }: Bug): PlantedCopy {
  const root = mkdtempSync(join(tmpdir(), 'muster-planted-'));
  const remove = () => rmSync(root, { recursive: true, force: true });
  try {
    cpSync(SOURCE, join(root, SOURCE), { recursive: true, filter: (path) => !path.endsWith('__pycache__') });
    for (const patch of patches) {
      const path = join(root, patch.file);
      writeFileSync(path, applyPatch(readFileSync(path, 'utf8'), patch));
    }
  } catch (error) {
    remove();
    throw error;
  }
  return { folder: join(root, SOURCE), remove };
}
