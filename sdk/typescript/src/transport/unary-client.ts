/** Typed unary calls: the service descriptor is the stub. */
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import type { CallOptions, Channel } from './channel.ts';

/** The unary methods of a service as functions. Streaming methods are left out. */
export type UnaryClient<M extends GenServiceMethods> = {
  readonly [K in keyof M as M[K]['methodKind'] extends 'unary' ? K : never]: (
    request: MessageInitShape<M[K]['input']>,
    options: CallOptions,
  ) => Promise<MessageShape<M[K]['output']>>;
};

/** Makes a client for every unary method of `service`. Each call fails with a `MusterError`. */
export function unaryClient<M extends GenServiceMethods>(channel: Channel, service: GenService<M>): UnaryClient<M> {
  const unary = service.methods.filter((method) => method.methodKind === 'unary');
  const calls = unary.map((method) => [
    method.localName,
    channel.unary(method as DescMethodUnary<DescMessage, DescMessage>),
  ]);
  return Object.fromEntries(calls) as UnaryClient<M>;
}
