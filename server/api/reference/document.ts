/** The HTTP port's API reference, generated from the contract; see .ci/reference. */
import openApi from '../../gen/openapi.json' with { type: 'json' };

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly contentEncoding?: string;
  readonly description?: string;
  readonly examples?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly enum?: readonly string[];
}

interface Body {
  readonly content: Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;
}

interface Answer extends Body {
  readonly description: string;
  readonly 'x-muster-codes'?: readonly { readonly code: string; readonly name: string; readonly note: string }[];
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly description: string;
  readonly requestBody: Body;
  readonly responses: Readonly<Record<string, Answer>>;
}

/** The part that the page needs. */
export interface OpenApi {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, { readonly post: Operation }>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export const document = openApi as unknown as OpenApi;
