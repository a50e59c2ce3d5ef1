/** What attempts are given to do: inputs of the handlers that a conformance worker has. */
import { create } from '@bufbuild/protobuf';
import { type Payload, PayloadSchema } from '@muster/sdk/gen/muster/v1/payload_pb';

/** A handler and its input. */
export interface Work {
  readonly handler: string;
  readonly input: Payload | undefined;
}

/** A step of the handler `script`, as docs/conformance.md has them. */
export type ScriptStep = { readonly do: string } & Readonly<Record<string, unknown>>;

export function json(value: unknown): Payload {
  return create(PayloadSchema, { data: Buffer.from(JSON.stringify(value)), contentType: 'application/json' });
}

export function bytes(data: Uint8Array, contentType: string): Payload {
  return create(PayloadSchema, { data, contentType });
}

export function script(...steps: ScriptStep[]): Work {
  return { handler: 'script', input: json({ steps }) };
}

export function echo(input: Payload | undefined): Work {
  return { handler: 'echo', input };
}

/** Returns its own name, so that a result can't be another's. */
export const returns = (value: unknown): Work => script({ do: 'return', value });
/** Runs until it is told to stop, and then does this. */
export const afterStop = (...steps: ScriptStep[]): Work =>
  // biome-ignore lint/suspicious/noThenProperty: the word of the conformance handlers; nobody awaits it
  script({ do: 'until_stopped', then: steps });
/** Runs until it is told to stop, and fails of that. */
export const waits: Work = script({ do: 'until_stopped' });
export const sleeps = (ms: number): Work => script({ do: 'sleep', ms });
/** Runs on when it is told to stop, for so long in all, and returns "deaf". */
export const isDeaf = (ms: number): Work => script({ do: 'deaf_sleep', ms }, { do: 'return', value: 'deaf' });
