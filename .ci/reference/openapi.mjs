// Describes the HTTP port as OpenAPI 3.1: every RPC of the services for browsers and curl, generated from the
// contract and its comments.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/paths.mjs';
import { readContract } from './contract.mjs';
import { codes, errorsOf, splitErrors } from './errors.mjs';
import { Schemas } from './schemas.mjs';

/** The service of workers, which the HTTP port does not serve (see server/api/service.ts). */
const NOT_ON_HTTP = ['SessionService'];
const EXAMPLES = 'proto/examples.json';

const ABOUT = `Every RPC of Muster as JSON over HTTP, by the Connect protocol: \`POST\` with a JSON object as the body.
Fields that are unset or have their default value are left out; 64-bit integers are strings, bytes are base64.
A field that the request does not know is refused. \`connect-timeout-ms\` in a header bounds the time of the call.`;

const errorSchema = (reasons) => ({
  type: 'object',
  description: 'What a call that failed answers, whatever the reason.',
  required: ['code'],
  properties: {
    code: { type: 'string', enum: Object.values(codes).map(({ name }) => name), description: 'What kind of error.' },
    message: { type: 'string', description: 'What is wrong and what to do about it, for people.' },
    details: {
      type: 'array',
      description:
        'For programs: always a google.rpc.ErrorInfo, whose `reason` is an ErrorReason without its prefix; with ' +
        'invalid_argument a google.rpc.BadRequest that names each wrong field; with failed_precondition a ' +
        'google.rpc.PreconditionFailure; a google.rpc.RetryInfo where it is known when to try again.',
      items: {
        type: 'object',
        required: ['type', 'value'],
        properties: {
          type: { type: 'string', description: 'Full name of the message, such as "google.rpc.ErrorInfo".' },
          value: {
            type: 'string',
            contentEncoding: 'base64',
            description: 'The message in binary, in base64 without padding.',
          },
          debug: { description: 'The same message as JSON, for people; programs read `value`.' },
        },
      },
    },
  },
  'x-muster-reasons': reasons,
});

function readExamples() {
  return JSON.parse(readFileSync(join(root, EXAMPLES), 'utf8'));
}

/** The whole document, as an object. */
export function openApi() {
  const { files, commentOf } = readContract();
  const schemas = new Schemas(commentOf);
  const examples = readExamples();
  const services = files.flatMap((file) => file.services).filter(({ name }) => !NOT_ON_HTTP.includes(name));
  services.sort((a, b) => (a.name < b.name ? -1 : 1));
  const operation = (method) => operationOf(method, { commentOf, schemas, examples });
  const paths = services.flatMap(({ methods }) =>
    methods.map((method) => [pathOf(method), { post: operation(method) }]),
  );
  const reasons = files.flatMap((file) => file.enums).find(({ name }) => name === 'ErrorReason');
  const { $ref: reasonsRef } = schemas.of(reasons);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Muster',
      version: 'v1',
      description: ABOUT,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The server that this was read from.' }],
    tags: services.map((service) => ({ name: service.name, description: commentOf(service) })),
    paths: Object.fromEntries(paths),
    components: { schemas: { Error: errorSchema(reasonsRef), ...schemas.all } },
  };
}

const pathOf = (method) => `/${method.parent.typeName}/${method.name}`;

function operationOf(method, { commentOf, schemas, examples }) {
  const example = examples[pathOf(method).slice(1)];
  if (!example) throw new Error(`${EXAMPLES} has no example of ${pathOf(method).slice(1)}: add a request that works`);
  const { description } = splitErrors(commentOf(method));
  const streams = method.methodKind === 'server_streaming';
  const type = streams ? 'application/connect+json' : 'application/json';
  const [summary] = description.split(/(?<=\.)\s/);
  return {
    operationId: `${method.parent.name}_${method.name}`,
    tags: [method.parent.name],
    summary,
    description: streams ? `${description}\n\n${ABOUT_STREAMS}` : description,
    requestBody: { required: true, content: { [type]: { schema: schemas.of(method.input), example } } },
    responses: {
      200: {
        description: streams ? 'A stream of these, then a last frame that says how it ended.' : 'The answer.',
        content: { [type]: { schema: schemas.of(method.output) } },
      },
      ...errorResponses(errorsOf(method, commentOf)),
      default: errorResponse('Any other error: it has the same form.'),
    },
  };
}

const ABOUT_STREAMS =
  'Request and answers are frames: a byte of flags, the length in four bytes (big endian), the JSON. The frame with flag ' +
  '2 is the last one: `{}`, or `{"error": ...}` in the form of Error; the HTTP status is 200 in either case.';

function errorResponse(description, errors) {
  return {
    description,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    ...(errors ? { 'x-muster-codes': errors } : {}),
  };
}

/** By HTTP status: several codes may share one. */
function errorResponses(errors) {
  const byStatus = Map.groupBy(errors, ({ status }) => status);
  return Object.fromEntries(
    [...byStatus].map(([status, ofIt]) => {
      const lines = ofIt.map(({ code, note }) => (note ? `${code}: ${note.replace(/\.$/, '')}` : code));
      const codesOfIt = ofIt.map(({ code, name, note }) => ({ code, name, note }));
      return [status, errorResponse(`${lines.join('. ')}.`, codesOfIt)];
    }),
  );
}
