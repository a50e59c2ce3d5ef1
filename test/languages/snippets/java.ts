/** Code blocks in Java: one class each, in a project that Maven builds together with the SDK. */
import { join, relative } from 'node:path';
import { indent, root, type SnippetCompiler } from '../support/snippets.ts';

const open = '<?xml version="1.0" encoding="UTF-8"?>\n<project>\n  <modelVersion>4.0.0</modelVersion>\n';

/** Fields, which a variable of a block may hide. */
const scope = '  static Client client;\n  static String jobId;\n  static Worker worker;\n';

/** Both projects, so that nothing must be installed. */
const pom = (sdk: string) => `${open}  <groupId>io.github.muster-jobs</groupId>
  <artifactId>muster-snippets-with-sdk</artifactId>
  <version>0.1.0</version>
  <packaging>pom</packaging>
  <modules>
    <module>${sdk}</module>
    <module>snippets</module>
  </modules>
</project>
`;

const project = `${open}  <groupId>io.github.muster-jobs</groupId>
  <artifactId>muster-snippets</artifactId>
  <version>0.1.0</version>
  <properties>
    <maven.compiler.release>17</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency>
      <groupId>io.github.muster-jobs</groupId>
      <artifactId>muster-sdk</artifactId>
      <version>0.1.0</version>
    </dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin>
        <groupId>org.apache.maven.plugins</groupId>
        <artifactId>maven-compiler-plugin</artifactId>
        <version>3.14.1</version>
      </plugin>
    </plugins>
  </build>
</project>
`;

export const javaSnippets: SnippetCompiler = {
  language: 'java',
  wrong: 'client.noSuchMethod(jobId);\n',
  files(snippets, imports, folder) {
    const classes = snippets.map(({ name, code }) => {
      const className = classNameOf(name);
      const method = `  static void run() throws Exception {\n${indent(code, '    ')}  }\n`;
      return [
        `snippets/src/main/java/${className}.java`,
        `${imports}\nfinal class ${className} {\n${scope}\n${method}}\n`,
      ];
    });
    return {
      'pom.xml': pom(relative(folder, join(root, 'sdk/java'))),
      'snippets/pom.xml': project,
      ...Object.fromEntries(classes),
    };
  },
  command: (folder) => ({ program: 'mvn', args: ['-B', '-ntp', '-q', 'compile'], cwd: folder }),
};

function classNameOf(name: string): string {
  return `Section${name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())}`;
}
