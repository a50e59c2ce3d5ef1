/** The API reference as a page: all RPCs and types with their comments; no script, and nothing from other servers. */
import { createHash } from 'node:crypto';
import { curlOf } from './curl.ts';
import type { OpenApi, Operation, Schema } from './document.ts';
import { escaped, inline, prose, table } from './html.ts';

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d5d9e0, #3a3f4a); --soft: light-dark(#f4f6f9, #1d2129); }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1rem 1.25rem 4rem; }
h1 { margin-bottom: 0; } h2 { border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 1rem; }
h3 { margin: 2.5rem 0 .25rem; } h4 { margin: 1rem 0 .25rem; }
a { color: light-dark(#0b57d0, #8ab4f8); } nav ul { columns: 14rem; padding-left: 1.2rem; }
code, pre { background: var(--soft); border-radius: 4px; font: .875em/1.5 ui-monospace, monospace; }
code { padding: .1em .3em; } pre { overflow-x: auto; padding: .75rem 1rem; white-space: pre-wrap; word-break: break-all; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .75rem .35rem 0; text-align: left; vertical-align: top; }
`;

/** The page may load, run and send nothing, and no other page may frame it; its own style is allowed by its hash. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
};

const nameOf = (ref: string) => ref.split('/').at(-1) ?? '';
const anchorOf = (operation: Operation) => operation.operationId;
const link = (anchor: string, text: string) => `<a href="#${escaped(anchor)}">${escaped(text)}</a>`;

/** A type's text: a link if it has its own entry. */
function typeOf(schema: Schema): string {
  if (schema.$ref) return link(nameOf(schema.$ref), nameOf(schema.$ref));
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  if (schema.additionalProperties) return `map to ${typeOf(schema.additionalProperties)}`;
  if (schema.contentEncoding) return 'bytes in base64';
  const example = schema.examples ? `, such as <code>${escaped(schema.examples[0] ?? '')}</code>` : '';
  return escaped(schema.format ? `${schema.type} (${schema.format})` : (schema.type ?? 'any')) + example;
}

function fieldsOf({ properties = {} }: Schema): string {
  const rows = Object.entries(properties).map(([name, field]) => [
    `<code>${escaped(name)}</code>`,
    typeOf(field),
    inline(field.description ?? ''),
  ]);
  return rows.length === 0 ? '<p>No fields.</p>' : table(['field', 'type', ''], rows);
}

function bodyOf(title: string, schema: Schema | undefined, { components }: OpenApi): string {
  const name = nameOf(schema?.$ref ?? '');
  const described = components.schemas[name] ?? {};
  return `<h4 id="${escaped(name)}">${title}</h4>\n${prose(described.description ?? '')}\n${fieldsOf(described)}`;
}

function errorsOf({ responses }: Operation): string {
  const rows = Object.entries(responses).flatMap(([status, answer]) =>
    (answer['x-muster-codes'] ?? []).map(({ name, note }) => [
      escaped(status),
      `<code>${escaped(name)}</code>`,
      inline(note),
    ]),
  );
  return table(['status', 'code', 'when'], [...rows, ['any', link('Error', 'Error'), 'Every error has this form.']]);
}

function operation(path: string, of: Operation, api: OpenApi, baseUrl: string): string {
  const [request] = Object.values(of.requestBody.content);
  const [answer] = Object.values(of.responses[200]?.content ?? {});
  const method = path.split('/').at(-1) ?? '';
  return [
    `<h3 id="${escaped(anchorOf(of))}">${escaped(method)}</h3>`,
    `<p><code>POST ${escaped(path)}</code></p>`,
    prose(of.description),
    `<pre>${escaped(curlOf(path, of, baseUrl))}</pre>`,
    bodyOf('Request', request?.schema, api),
    bodyOf('Response', answer?.schema, api),
    `<h4>Errors</h4>\n${errorsOf(of)}`,
  ].join('\n');
}

/** Types other than the requests and responses of RPCs, which are described with their RPC. */
function types(api: OpenApi): string {
  const mentioned = new Set(
    Object.values(api.paths).flatMap(({ post }) =>
      [post.requestBody, post.responses[200]].flatMap((body) =>
        Object.values(body?.content ?? {}).map(({ schema }) => nameOf(schema.$ref ?? '')),
      ),
    ),
  );
  return Object.entries(api.components.schemas)
    .filter(([name]) => !mentioned.has(name))
    .map(([name, schema]) => {
      const fields = schema.properties ? fieldsOf(schema) : '';
      return `<h3 id="${escaped(name)}">${escaped(name)}</h3>\n${prose(schema.description ?? '')}\n${fields}`;
    })
    .join('\n');
}

export function referencePage(api: OpenApi, baseUrl: string): string {
  const services = api.tags.map(({ name, description }) => {
    const ofIt = Object.entries(api.paths).filter(([, { post }]) => post.tags.includes(name));
    const links = ofIt.map(([path, { post }]) => `<li>${link(anchorOf(post), path.split('/').at(-1) ?? '')}</li>`);
    return {
      contents: `<h4>${link(name, name)}</h4>\n<ul>${links.join('')}</ul>`,
      text: [
        `<h2 id="${escaped(name)}">${escaped(name)}</h2>`,
        prose(description),
        ...ofIt.map(([path, { post }]) => operation(path, post, api, baseUrl)),
      ].join('\n'),
    };
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(api.info.title)} API reference</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(api.info.title)} API</h1>
${prose(api.info.description)}
<p>For programs: <a href="/openapi.json">openapi.json</a>.</p>
<nav>
${services.map(({ contents }) => contents).join('\n')}
</nav>
${services.map(({ text }) => text).join('\n')}
<h2 id="types">Types</h2>
${types(api)}
</body>
</html>
`;
}
