/**
 * Converts schemas of inputs and results between the contract and the core. Each side has at most one, JSON Schema or
 * protobuf.
 */
import { create } from '@bufbuild/protobuf';
import {
  type ProtobufSchema,
  ProtobufSchemaSchema,
  type JobDefinition as WireDefinition,
} from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import type { PayloadSchema } from '../../domain/definitions/definition.ts';
import type { Violations } from '../base/violations.ts';

const MAX_JSON_BYTES = 64 << 10;
const MAX_SET_BYTES = 256 << 10;
const MESSAGE_TYPE = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;

type Side = 'input' | 'output';

function jsonSchemaFrom(text: string, field: string, violations: Violations): PayloadSchema {
  const size = Buffer.byteLength(text);
  violations.check(size <= MAX_JSON_BYTES, field, `is ${size} bytes; at most ${MAX_JSON_BYTES} are allowed`);
  return { kind: 'json', text };
}

function protobufSchemaFrom(wire: ProtobufSchema, field: string, violations: Violations): PayloadSchema {
  const { fileDescriptorSet: set, messageType } = wire;
  violations.check(
    set.length > 0 && set.length <= MAX_SET_BYTES,
    `${field}.file_descriptor_set`,
    `is ${set.length} bytes; between 1 and ${MAX_SET_BYTES} are allowed`,
  );
  violations.check(
    messageType.length <= 512 && MESSAGE_TYPE.test(messageType),
    `${field}.message_type`,
    'must be the full name of a message, such as shop.v1.Order',
  );
  const fileDescriptorSet = set.length <= MAX_SET_BYTES ? Buffer.from(set).toString('base64') : '';
  return { kind: 'protobuf', fileDescriptorSet, messageType };
}

/** Undefined: any payload is accepted. */
export function schemaFrom(wire: WireDefinition, side: Side, violations: Violations): PayloadSchema | undefined {
  const [json, protobuf] =
    side === 'input'
      ? [wire.inputJsonSchema, wire.inputProtobufSchema]
      : [wire.outputJsonSchema, wire.outputProtobufSchema];
  const field = `definition.${side}_protobuf_schema`;
  if (protobuf) {
    violations.check(json === '', field, `can't be set together with ${side}_json_schema`);
    return protobufSchemaFrom(protobuf, field, violations);
  }
  return json === '' ? undefined : jsonSchemaFrom(json, `definition.${side}_json_schema`, violations);
}

export interface WireSchema {
  readonly json: string;
  readonly protobuf: ProtobufSchema | undefined;
}

export function schemaTo(schema: PayloadSchema | undefined): WireSchema {
  if (schema?.kind !== 'protobuf') return { json: schema?.text ?? '', protobuf: undefined };
  const fileDescriptorSet = new Uint8Array(Buffer.from(schema.fileDescriptorSet, 'base64'));
  return { json: '', protobuf: create(ProtobufSchemaSchema, { fileDescriptorSet, messageType: schema.messageType }) };
}
