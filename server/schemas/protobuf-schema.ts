/** Payloads that are protobuf messages, in binary or in their JSON form. Runs in the schema thread only. */
import {
  createFileRegistry,
  type DescMessage,
  type FileRegistry,
  fromBinary,
  fromJson,
  type JsonValue,
} from '@bufbuild/protobuf';
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { Payload } from '../domain/base/payload.ts';
import type { PayloadSchema } from '../domain/definitions/definition.ts';
import { mediaTypeOf, messageOf, parseJson, UnusableSchema, type Validator } from './validator.ts';

type ProtobufSchema = Extract<PayloadSchema, { kind: 'protobuf' }>;

const PART = 'file_descriptor_set';
const binaryTypes = new Set(['', 'application/x-protobuf', 'application/protobuf']);

function readSet(base64: string): FileDescriptorSet {
  try {
    return fromBinary(FileDescriptorSetSchema, new Uint8Array(Buffer.from(base64, 'base64')));
  } catch (error) {
    throw new UnusableSchema(`is no google.protobuf.FileDescriptorSet: ${messageOf(error)}`, PART);
  }
}

function registryOf(set: FileDescriptorSet): FileRegistry {
  const names = new Set(set.file.map((file) => file.name));
  for (const file of set.file) {
    const missing = file.dependency.find((name) => !names.has(name));
    if (missing === undefined) continue;
    throw new UnusableSchema(`has ${file.name} without its import ${missing}; build it with all imports`, PART);
  }
  try {
    return createFileRegistry(set);
  } catch (error) {
    throw new UnusableSchema(`can't be used: ${messageOf(error)}`, PART);
  }
}

function readMessage(message: DescMessage, registry: FileRegistry, payload: Payload): string | undefined {
  const type = mediaTypeOf(payload);
  if (binaryTypes.has(type)) {
    fromBinary(message, payload.data);
    return undefined;
  }
  if (type !== 'application/json')
    return `has the content type ${type}; the schema wants application/x-protobuf or application/json`;
  const parsed = parseJson(payload.data);
  if ('fault' in parsed) return parsed.fault;
  fromJson(message, parsed.value as JsonValue, { registry });
  return undefined;
}

/** @throws UnusableSchema */
export function protobufValidator({ fileDescriptorSet, messageType }: ProtobufSchema): Validator {
  const registry = registryOf(readSet(fileDescriptorSet));
  const message = registry.getMessage(messageType);
  if (!message) throw new UnusableSchema(`${messageType} is no message of the file descriptor set`, 'message_type');
  return (payload) => {
    try {
      return readMessage(message, registry, payload);
    } catch (error) {
      return `is no ${messageType}: ${messageOf(error)}`;
    }
  };
}
