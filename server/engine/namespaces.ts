/** What holds for all of a namespace. */
import type { Store } from './store-port.ts';

export interface NamespaceSettings {
  readonly name: string;
  /** How long ended jobs are kept where their definition says nothing of it; undefined: the default. */
  readonly retentionMs: number | undefined;
}

export class Namespaces {
  readonly #store: Pick<Store, 'readRetention' | 'setRetention'>;

  constructor(store: Pick<Store, 'readRetention' | 'setRetention'>) {
    this.#store = store;
  }

  async get(name: string): Promise<NamespaceSettings> {
    return { name, retentionMs: await this.#store.readRetention(name) };
  }

  async setRetention(name: string, retentionMs: number | undefined): Promise<void> {
    await this.#store.setRetention(name, retentionMs);
  }
}
