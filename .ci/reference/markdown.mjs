// The whole contract as a page of Markdown: every service, message and enum with its comments.

import { ScalarType } from '@bufbuild/protobuf';
import { readContract } from './contract.mjs';
import { errorsOf, splitErrors } from './errors.mjs';

const INTRODUCTION = `# The contract

Generated from [proto/muster](../../proto/muster) by \`npm run generate\`; do not edit. The gRPC port serves all of it, the
HTTP port all but SessionService (the package \`muster.worker.v1\`), as JSON: [http.md](../http.md) has the rules, and a running server its own page at
\`/reference\`. How calls are repeated is in [api.md](../api.md), what workers do with SessionService in
[worker-protocol.md](../worker-protocol.md).
`;

/** The page, as text. */
export function apiReference() {
  const { files, commentOf } = readContract();
  const all = (kind) => files.flatMap((file) => file[kind]).sort((a, b) => (a.name < b.name ? -1 : 1));
  const [services, messages, enums] = ['services', 'messages', 'enums'].map(all);
  refuseTwins([...services, ...services.flatMap(({ methods }) => methods), ...messages, ...enums]);
  const parts = [
    INTRODUCTION,
    `## Services\n\n${table(
      ['service', ''],
      services.map((service) => [link(service), cell(commentOf(service))]),
    )}`,
    ...services.map((service) => serviceText(service, commentOf)),
    '## Messages',
    ...messages.map((message) => messageText(message, commentOf)),
    '## Enums',
    ...enums.map((desc) => enumText(desc, commentOf)),
  ];
  return `${parts.map((part) => part.trim()).join('\n\n')}\n`;
}

/** Each heading is the target of links. */
function refuseTwins(descs) {
  const names = new Set();
  for (const { name } of descs) {
    if (names.has(name.toLowerCase()))
      throw new Error(`two things are called ${name}: links could not tell them apart`);
    names.add(name.toLowerCase());
  }
}

function serviceText(service, commentOf) {
  const rpcs = service.methods.map((method) => rpcText(method, commentOf));
  return [`## ${service.name}`, prose(commentOf(service)), ...rpcs].join('\n\n');
}

function rpcText(method, commentOf) {
  const { description } = splitErrors(commentOf(method));
  const stream = method.methodKind === 'server_streaming' ? 'a stream of ' : '';
  const errors = errorsOf(method, commentOf).map(({ code, note }) => [`\`${code}\``, cell(note)]);
  return [
    `### ${method.name}`,
    prose(description),
    `Takes ${link(method.input)}, answers ${stream}${link(method.output)}.`,
    table(['error', ''], errors),
  ].join('\n\n');
}

function messageText(message, commentOf) {
  const rows = message.fields.map((field) => [
    String(field.number),
    `\`${field.name}\``,
    typeOf(field),
    cell([choiceOf(field), commentOf(field)].filter(Boolean).join(' ')),
  ]);
  const fields = rows.length > 0 ? table(['', 'field', 'type', ''], rows) : 'It has no fields.';
  return [`### ${message.name}`, prose(commentOf(message)), fields].join('\n\n');
}

function enumText(desc, commentOf) {
  const rows = desc.values.map((value) => [String(value.number), `\`${value.name}\``, cell(commentOf(value))]);
  return [`### ${desc.name}`, prose(commentOf(desc)), table(['', 'value', ''], rows)].join('\n\n');
}

/** At most one field of a oneof is set. */
function choiceOf({ oneof }) {
  return oneof ? `One of \`${oneof.name}\`.` : '';
}

function typeOf(field) {
  if (field.fieldKind === 'list') return `list of ${elementOf(field, field.listKind)}`;
  if (field.fieldKind !== 'map') return elementOf(field, field.fieldKind);
  return `map of ${scalarName(field.mapKey)} to ${elementOf(field, field.mapKind)}`;
}

function elementOf(field, kind) {
  if (kind === 'message') return link(field.message);
  return kind === 'enum' ? link(field.enum) : scalarName(field.scalar);
}

const scalarName = (scalar) => ScalarType[scalar].toLowerCase();

function link(desc) {
  const isOurs = desc.kind === 'service' || desc.typeName.startsWith('muster.');
  return isOurs ? `[${desc.name}](#${desc.name.toLowerCase()})` : `\`${desc.typeName}\``;
}

/** Text as Markdown: code between backticks stays, everything else is escaped so that it can't become HTML. */
function prose(text) {
  const parts = text.split(/(`[^`]*`)/);
  return parts.map((part, i) => (i % 2 === 1 ? part : part.replaceAll('<', '&lt;'))).join('');
}

const cell = (text) =>
  prose(text)
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll('|', '\\|');

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
