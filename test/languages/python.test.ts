/** The SDK for Python. Its own tests are in sdk/python/tests, those of its package in test/integration. */
import { describe } from 'vitest';
import { pythonSnippets } from './snippets/python.ts';
import { snippetsCompile } from './support/snippets.ts';

describe('the type checker for Python', () => snippetsCompile(pythonSnippets));
