/** Settings of a whole namespace. */
import { once } from '../base/requests.ts';
import type { RequestKey, Store } from '../ports/store.ts';

export type StoredNamespaces = Pick<Store, 'together' | 'readRetention' | 'setRetention'>;

export interface NamespaceSettings {
  readonly name: string;
  /** Retention of ended jobs whose definition sets none; undefined: the default. */
  readonly retentionMs: number | undefined;
}

export class Namespaces {
  readonly #store: StoredNamespaces;

  constructor(store: StoredNamespaces) {
    this.#store = store;
  }

  async get(name: string): Promise<NamespaceSettings> {
    return { name, retentionMs: await this.#store.readRetention(name) };
  }

  /** A repeat changes nothing. Throws REQUEST_ID_REUSED. */
  async setRetention(name: string, retentionMs: number | undefined, request: RequestKey | undefined): Promise<void> {
    await once(this.#store, name, request, (store) => store.setRetention(name, retentionMs));
  }
}
