/** The SDK for TypeScript: its tests are in test/unit/sdk and test/integration/sdk, its package's in test/integration. */
import { describe } from 'vitest';
import { typescriptSnippets } from './snippets/typescript.ts';
import { snippetsCompile } from './support/snippets.ts';

describe('the SDK for TypeScript', () => snippetsCompile(typescriptSnippets));
