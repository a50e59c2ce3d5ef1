/** Describes a protobuf-es method for grpc-js. */
import type { DescMessage, DescMethod, MessageShape } from '@bufbuild/protobuf';
import { fromBinary, toBinary } from '@bufbuild/protobuf';

export interface Stub {
  readonly path: string;
  readonly input: DescMessage;
  readonly serialize: (request: MessageShape<DescMessage>) => Buffer;
  readonly deserialize: (bytes: Buffer) => MessageShape<DescMessage>;
}

export function makeStub(service: string, method: DescMethod): Stub {
  return {
    path: `/${service}/${method.name}`,
    input: method.input,
    serialize: (request) => {
      const bytes = toBinary(method.input, request);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    // A plain view, so that bytes fields of a message are Uint8Arrays and not Buffers.
    deserialize: (bytes) => fromBinary(method.output, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
  };
}
