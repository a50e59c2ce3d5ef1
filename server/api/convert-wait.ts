/** Bodies of waits between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import type { WaitBody } from '../domain/wait.ts';
import {
  ApprovalWaitSchema,
  EventWaitSchema,
  WaitBodySchema,
  type WaitBody as WireWait,
} from '../gen/muster/v1/wait_pb.ts';
import { checkDottedName } from './checks.ts';
import { checkExpression } from './convert-limits.ts';
import type { Violations } from './violations.ts';

const BODY = 'definition.wait';

export function waitFrom({ kind }: WireWait, violations: Violations): WaitBody {
  violations.check(kind.case !== undefined, BODY, 'says nothing to wait for: set event or approval');
  if (kind.case !== 'event') return { kind: 'APPROVAL' };
  const { name, key } = kind.value;
  checkDottedName(name, `${BODY}.event.name`, violations);
  checkExpression(key, `${BODY}.event.key`, violations);
  return { kind: 'EVENT', name, ...(key ? { key } : {}) };
}

export function waitTo(wait: WaitBody): WireWait {
  const kind =
    wait.kind === 'EVENT'
      ? ({ case: 'event', value: create(EventWaitSchema, { name: wait.name, key: wait.key ?? '' }) } as const)
      : ({ case: 'approval', value: create(ApprovalWaitSchema) } as const);
  return create(WaitBodySchema, { kind });
}
