/** Messages between the main thread and the thread that evaluates expressions. */
import type { Payload } from '../domain/base/payload.ts';
import type { Evaluation, EvaluationAnswer } from '../domain/workflows/expressions/evaluation.ts';

export interface ToThread extends Omit<Evaluation, 'payloads'> {
  /** The payloads, one after another. It is transferred. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lengths: readonly number[];
  readonly contentTypes: readonly string[];
}

/** One for each message, in order. */
export type FromThread = EvaluationAnswer | { readonly error: string };

export function packed({ payloads, ...rest }: Evaluation): ToThread {
  const lengths = payloads.map(({ data }) => data.length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const { data } of payloads) {
    bytes.set(data, at);
    at += data.length;
  }
  return { ...rest, bytes, lengths, contentTypes: payloads.map(({ contentType }) => contentType) };
}

export function unpacked({ bytes, lengths, contentTypes, ...rest }: ToThread): Evaluation {
  let at = 0;
  const payloads = lengths.map((length, i): Pick<Payload, 'data' | 'contentType'> => {
    at += length;
    return { data: bytes.subarray(at - length, at), contentType: contentTypes[i] ?? '' };
  });
  return { ...rest, payloads };
}
