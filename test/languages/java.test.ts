/**
 * The SDK for Java: its own checks and tests, then the cases of `muster conformance`. One file, since both build in the same folder.
 */
import { conformsOnceBuilt } from '../conformance/support/built.ts';
import { java } from '../support/toolchains.ts';
import { suiteOf } from './support/suite.ts';

const mvn = ['mvn', '-B', '-ntp'] as const;

suiteOf({
  toolchain: java,
  folder: 'sdk/java',
  runs: {
    'is formatted': [...mvn, 'spotless:check'],
    'has whole Javadoc': [...mvn, 'javadoc:javadoc'],
    'passes its tests': [...mvn, 'verify'],
  },
});

conformsOnceBuilt(
  java,
  { folder: 'workers/conformance-java', command: [...mvn, '-f', 'with-sdk.xml', 'package', '-DskipTests'] },
  ['workers/conformance-java/run'],
);
