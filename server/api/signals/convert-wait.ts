/** Converts the bodies of waits between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import {
  ApprovalWaitSchema,
  SignalWaitSchema,
  WaitBodySchema,
  type WaitBody as WireWait,
} from '@muster-jobs/sdk/gen/muster/v1/wait_pb';
import type { WaitBody } from '../../domain/signals/wait.ts';
import { checkDottedName } from '../base/checks.ts';
import type { Violations } from '../base/violations.ts';
import { checkExpression } from '../dispatch/convert-limits.ts';

const BODY = 'definition.wait';

export function waitFrom({ kind }: WireWait, violations: Violations): WaitBody {
  violations.check(kind.case !== undefined, BODY, 'is empty: set signal or approval');
  if (kind.case !== 'signal') return { kind: 'APPROVAL' };
  const { name, key } = kind.value;
  checkDottedName(name, `${BODY}.signal.name`, violations);
  checkExpression(key, `${BODY}.signal.key`, violations);
  return { kind: 'SIGNAL', name, ...(key ? { key } : {}) };
}

export function waitTo(wait: WaitBody): WireWait {
  const kind =
    wait.kind === 'SIGNAL'
      ? ({ case: 'signal', value: create(SignalWaitSchema, { name: wait.name, key: wait.key ?? '' }) } as const)
      : ({ case: 'approval', value: create(ApprovalWaitSchema) } as const);
  return create(WaitBodySchema, { kind });
}
