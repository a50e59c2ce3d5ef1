/** What the main thread and the schema thread say to each other. */

import type { Payload } from '../domain/base/payload.ts';
import type { PayloadSchema } from '../domain/definitions/definition.ts';
import type { SchemaProblem } from '../engine/ports/ports.ts';

export interface ThreadItem {
  readonly schemaId: number;
  /** Undefined: the schema is only compiled. */
  readonly payload: Payload | undefined;
}

export interface ToThread {
  /** Schemas that the thread does not know yet. */
  readonly schemas: readonly (readonly [schemaId: number, schema: PayloadSchema])[];
  /** Schemas that it is not asked about again. */
  readonly forget: readonly number[];
  readonly items: readonly ThreadItem[];
}

/** Of the first items, in order; undefined where nothing is wrong. A slice that takes long is answered in parts. */
export type FromThread = readonly (SchemaProblem | undefined)[];
