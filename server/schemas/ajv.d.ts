/** Types for the part of ajv that is used here: each instance compiles one schema, and never an async one. */
declare module 'ajv/dist/ajv.js' {
  export { Ajv2020 as Ajv } from 'ajv/dist/2020.js';
}

declare module 'ajv/dist/2020.js' {
  export interface ErrorObject {
    readonly instancePath: string;
    readonly message?: string;
    readonly params: Readonly<Record<string, unknown>>;
  }

  export interface Validate {
    (value: unknown): boolean;
    readonly errors?: readonly ErrorObject[] | null;
    readonly $async?: boolean;
  }

  export class Ajv2020 {
    constructor(options: Readonly<Record<string, boolean>>);
    readonly errors?: readonly ErrorObject[] | null;
    validateSchema(schema: object | boolean): unknown;
    compile(schema: object | boolean): Validate;
  }
}
