/** The SDK for Go. */
import { go } from '../support/toolchains.ts';
import { suiteOf } from './support/suite.ts';

suiteOf({
  toolchain: go,
  folder: 'sdk/go',
  runs: {
    'is formatted': ['sh', '-c', 'unformatted=$(gofmt -l .) && echo "$unformatted" && test -z "$unformatted"'],
    'has no findings of go vet': ['go', 'vet', './...'],
    'passes its tests under the race detector': ['go', 'test', '-race', '-count=1', './...'],
  },
});
