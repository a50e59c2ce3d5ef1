/** Messages between the main thread and the schema thread. */

import type { Payload } from '../domain/base/payload.ts';
import type { PayloadSchema } from '../domain/definitions/definition.ts';
import type { SchemaProblem } from '../engine/ports/ports.ts';

export interface ThreadItem {
  readonly schemaId: number;
  /** Undefined: the schema is only compiled. */
  readonly payload: Payload | undefined;
}

export interface ToThread {
  /** Schemas that the thread does not have yet. */
  readonly schemas: readonly (readonly [schemaId: number, schema: PayloadSchema])[];
  /** Schemas that it will not need again. */
  readonly forget: readonly number[];
  readonly items: readonly ThreadItem[];
}

/** Results of the first items, in order; undefined if valid. A slow slice is answered in parts. */
export type FromThread = readonly (SchemaProblem | undefined)[];
