/** Definitions: lists and archives. */
import { Code } from '../../../../../server/api/base/code.ts';
import { add, archiveJobDefinition, getJobDefinition, listJobDefinitions } from '../base/builder.ts';

const notFound = [Code.NOT_FOUND, 'DEFINITION_NOT_FOUND'] as const;
const badTokens: Record<string, string> = {
  garbage: 'x',
  'of another list': Buffer.from('default/0198c0de-0000-7000-8000-000000000001/0123456789abcdef').toString('base64url'),
  'of 5,000 characters': 'A'.repeat(5_000),
  'with a NUL': Buffer.from('default/\0/0123456789abcdef').toString('base64url'),
};

add('B42', 'page size -1', listJobDefinitions, () => ({ pageSize: -1 }), ['page_size']);
for (const [what, pageToken] of Object.entries(badTokens)) {
  add('B43', `page token ${what}`, listJobDefinitions, () => ({ pageToken }), ['page_token']);
}
add('B24', 'namespace in uppercase', listJobDefinitions, () => ({ namespace: 'No' }), ['namespace']);

add('B24', 'no name', archiveJobDefinition, () => ({}), ['name']);
add('B26', 'a way up', archiveJobDefinition, () => ({ name: '../x' }), ['name']);
add('B24', 'namespace in uppercase', archiveJobDefinition, () => ({ namespace: 'No', name: 'x' }), ['namespace']);
add('B37', 'an invalid request id', archiveJobDefinition, ({ definition }) => ({ name: definition, requestId: 'x' }), [
  'request_id',
]);
add('', 'an unknown definition', archiveJobDefinition, () => ({ name: 'missing' }), [], notFound);
add(
  'B15',
  "another namespace's definition",
  archiveJobDefinition,
  ({ definition }) => ({ namespace: 'other', name: definition }),
  [],
  notFound,
);
add('', 'version -1', getJobDefinition, ({ definition }) => ({ name: definition, version: -1 }), ['version']);
