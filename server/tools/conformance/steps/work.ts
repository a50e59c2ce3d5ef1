/** The work of attempts: inputs of the conformance worker's handlers. */
import { create } from '@bufbuild/protobuf';
import { type Payload, PayloadSchema } from '@muster-jobs/sdk/gen/muster/v1/payload_pb';

/** A handler and its input. */
export interface Work {
  readonly handler: string;
  readonly input: Payload | undefined;
}

/** A step of the handler `script`, as described in docs/conformance.md. */
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

/** Returns a distinct value, so that results can't be confused. */
export const returns = (value: unknown): Work => script({ do: 'return', value });
/** Runs until it is stopped, and then performs these steps. */
export const afterStop = (...steps: ScriptStep[]): Work =>
  // biome-ignore lint/suspicious/noThenProperty: the word of the conformance handlers; nobody awaits it
  script({ do: 'until_stopped', then: steps });
/** Runs until it is stopped, and fails because of that. */
export const waits: Work = script({ do: 'until_stopped' });
export const sleeps = (ms: number): Work => script({ do: 'sleep', ms });
/** Ignores the stop, runs for this long in total, and returns "deaf". */
export const isDeaf = (ms: number): Work => script({ do: 'deaf_sleep', ms }, { do: 'return', value: 'deaf' });
