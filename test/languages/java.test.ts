/**
 * The SDK for Java: its own checks and tests, then the cases of `muster conformance`. One file, because both build in
 * the same folder.
 */
import { conformsOnceBuilt } from '../conformance/support/built.ts';
import { shortLivedJvm, useShortLivedMaven } from '../support/base/jvm.ts';
import { describeWith, java } from '../support/run/toolchains.ts';
import { javaSnippets } from './snippets/java.ts';
import { snippetsCompile } from './support/snippets.ts';
import { suiteOf } from './support/suite.ts';

useShortLivedMaven();

const mvn = ['mvn', '-B', '-ntp'] as const;

/** One warning is expected and can't be silenced: a worker uses `sun.misc.Signal` to receive SIGTERM. */
const release = `
  ${mvn.join(' ')} -P release package -DskipTests > target/release.log || { cat target/release.log; exit 1; }
  ls target/*-sources.jar target/*-javadoc.jar || exit 1
  ! grep 'warning:' target/release.log | grep -v 'is internal proprietary API'`;

suiteOf({
  toolchain: java,
  folder: 'sdk/java',
  runs: {
    'is formatted': [...mvn, 'spotless:check'],
    'passes its tests': [...mvn, 'verify', `-DargLine=${shortLivedJvm.join(' ')}`],
    'has a jar of sources, and one of Javadoc without a warning': ['sh', '-c', release],
  },
});

describeWith(java, 'the compiler for Java', () => snippetsCompile(javaSnippets));

conformsOnceBuilt(
  java,
  { folder: 'workers/conformance-java', command: [...mvn, '-f', 'with-sdk.xml', 'package', '-DskipTests'] },
  ['workers/conformance-java/run'],
);
