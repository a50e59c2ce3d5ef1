/** The SDK for Go. */
import { describeWith, go } from '../support/run/toolchains.ts';
import { goSnippets } from './snippets/go.ts';
import { snippetsCompile } from './support/snippets.ts';
import { suiteOf } from './support/suite.ts';

suiteOf({
  toolchain: go,
  folder: 'sdk/go',
  runs: {
    'is formatted': ['sh', '-c', 'unformatted=$(gofmt -l .) && echo "$unformatted" && test -z "$unformatted"'],
    'names all modules that it needs, and no other': ['go', 'mod', 'tidy', '-diff'],
    'has no findings of go vet': ['go', 'vet', './...'],
    'passes its tests under the race detector': ['go', 'test', '-race', '-count=1', './...'],
  },
});

describeWith(go, 'the compiler for Go', () => snippetsCompile(goSnippets));
