/** Ids of dependency targets other than jobs. Each id is derived from the target's name. */
import { createHash } from 'node:crypto';
import { uuidFromBytes } from '../../domain/base/uuid.ts';

function idOf(text: string): string {
  return uuidFromBytes(createHash('sha256').update(text).digest());
}

export function assetIdOf(namespace: string, name: string): string {
  return idOf(`asset ${JSON.stringify([namespace, name])}`);
}

export function stepIdOf(workflowJobId: string, step: number): string {
  return idOf(`step ${JSON.stringify([workflowJobId, step])}`);
}
