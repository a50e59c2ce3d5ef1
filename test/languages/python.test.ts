/** The SDK for Python: its tests are its own, in sdk/python/tests, its package's in test/integration. */
import { describe } from 'vitest';
import { pythonSnippets } from './snippets/python.ts';
import { snippetsCompile } from './support/snippets.ts';

describe('the SDK for Python', () => snippetsCompile(pythonSnippets));
