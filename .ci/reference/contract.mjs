// The contract as buf reads it: its descriptors, and the comment above each of them.

import { execFileSync } from 'node:child_process';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { root } from '../setup/paths.mjs';

// Field numbers of descriptor.proto, of which a path in the source info consists.
const IN_FILE = { message: 4, enum: 5, service: 6 };
const IN_MESSAGE = { field: 2, message: 3, enum: 4, oneof: 8 };
const VALUE_IN_ENUM = 2;
const METHOD_IN_SERVICE = 2;

const PACKAGES = ['muster.v1', 'muster.worker.v1'];

/** @returns files of the packages of Muster, and a function that returns the comment of a descriptor. */
export function readContract() {
  const args = ['build', '--path', 'proto/muster', '--output', '-'];
  const bytes = execFileSync('buf', args, { cwd: root, maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'inherit'] });
  const set = fromBinary(FileDescriptorSetSchema, new Uint8Array(bytes));
  const files = [...createFileRegistry(set).files].filter(({ proto }) => PACKAGES.includes(proto.package));
  const comments = new Map(files.flatMap((file) => [...commentsOf(file)]));
  return { files, commentOf: (desc) => comments.get(desc) ?? '' };
}

/** Each descriptor of a file with its comment. */
function* commentsOf(file) {
  const texts = new Map(
    file.proto.sourceCodeInfo?.location.map(({ path, leadingComments }) => [path.join('.'), leadingComments]),
  );
  const textAt = (...path) => clean(texts.get(path.join('.')) ?? '');

  function* ofEnum(desc, path) {
    yield [desc, textAt(...path)];
    for (const [i, value] of desc.values.entries()) yield [value, textAt(...path, VALUE_IN_ENUM, i)];
  }

  function* ofMessage(desc, path) {
    yield [desc, textAt(...path)];
    for (const [i, proto] of desc.proto.field.entries()) {
      const field = desc.fields.find(({ number }) => number === proto.number);
      yield [field, textAt(...path, IN_MESSAGE.field, i)];
    }
    for (const [i, oneof] of desc.oneofs.entries()) yield [oneof, textAt(...path, IN_MESSAGE.oneof, i)];
    for (const [i, inner] of desc.nestedMessages.entries()) yield* ofMessage(inner, [...path, IN_MESSAGE.message, i]);
    for (const [i, inner] of desc.nestedEnums.entries()) yield* ofEnum(inner, [...path, IN_MESSAGE.enum, i]);
  }

  for (const [i, desc] of file.messages.entries()) yield* ofMessage(desc, [IN_FILE.message, i]);
  for (const [i, desc] of file.enums.entries()) yield* ofEnum(desc, [IN_FILE.enum, i]);
  for (const [i, service] of file.services.entries()) {
    yield [service, textAt(IN_FILE.service, i)];
    for (const [j, method] of service.methods.entries()) {
      yield [method, textAt(IN_FILE.service, i, METHOD_IN_SERVICE, j)];
    }
  }
}

/** Joins the lines of a paragraph, and of an item of a list; an empty line separates paragraphs. */
function clean(comment) {
  const lines = comment.split('\n').map((line) => line.replace(/^ /, '').trimEnd());
  return lines
    .join('\n')
    .trim()
    .replaceAll(/([^\n])\n(?!\n| *- ) */g, '$1 ');
}
