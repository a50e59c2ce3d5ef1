/** Steps that make calls and lines fail. */
import type { Step } from '../case.ts';
import type { Fault } from '../faults.ts';
import { act } from './life.ts';

/** Makes the next calls of a method fail; see `Fault`. */
export function spoil(method: string, fault: Fault): Step {
  const { seen } = fault;
  const what = typeof seen === 'string' ? seen : 'delayMs' in seen ? `an answer ${seen.delayMs} ms late` : seen.code;
  return act(`the next ${fault.times ?? 1} of ${method}: ${what}`, ({ plane }) => plane.faults.add(method, fault));
}

/** Calls of the method succeed again. */
export function mend(method: string): Step {
  return act(`${method} goes well again`, ({ plane }) => plane.faults.clear(method));
}

export const forEver = Number.POSITIVE_INFINITY;

export const cutBus: Step = act('breaks the connection to the bus', ({ plane }) => plane.busLine.cut());
export const shutBus: Step = act('takes the bus away', ({ plane }) => plane.busLine.shut());
export const reopenBus: Step = act('brings the bus back', ({ plane }) => plane.busLine.reopen());
export const shutRpc: Step = act('closes the gRPC port', ({ plane }) => plane.rpcLine.shut());
export const reopenRpc: Step = act('opens the gRPC port again', ({ plane }) => plane.rpcLine.reopen());
