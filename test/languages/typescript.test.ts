/**
 * The SDK for TypeScript. Its own tests are in test/unit/sdk and test/integration/sdk, those of its package in
 * test/integration.
 */
import { describe } from 'vitest';
import { typescriptSnippets } from './snippets/typescript.ts';
import { snippetsCompile } from './support/snippets.ts';

describe('the compiler for TypeScript', () => snippetsCompile(typescriptSnippets));
