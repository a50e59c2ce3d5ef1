/** Makes the parts of namespaces. */
import type { EnginePorts } from '../base/engine-ports.ts';
import type { AuditQuery, AuditRecord } from '../ports/namespaces.ts';
import { Namespaces } from './namespaces.ts';

type Ports = Pick<EnginePorts, 'store'>;

/** What the API sees of them. */
export interface NamespacesApi {
  readonly namespaces: Namespaces;
  /** Manual changes, newest first. */
  listAudit(query: AuditQuery): Promise<AuditRecord[]>;
}

export function createNamespaces({ store }: Ports): NamespacesApi {
  return { namespaces: new Namespaces(store), listAudit: store.listAudit };
}
