/** The handlers of a service, one for each of its RPCs. */
import type { DescService, MessageShape } from '@bufbuild/protobuf';
import type { GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import type { Handler, StreamHandler } from './context.ts';

export type Implementation<S extends DescService> = S extends { method: infer M extends GenServiceMethods }
  ? {
      [K in keyof M]: M[K]['methodKind'] extends 'server_streaming'
        ? StreamHandler<MessageShape<M[K]['input']>, MessageShape<M[K]['output']>>
        : Handler<MessageShape<M[K]['input']>, MessageShape<M[K]['output']>>;
    }
  : never;
