package dev.muster.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The examples of the README compile, and print the output that follows them. */
class ReadmeTest {
  private static final Pattern EXAMPLE =
      Pattern.compile("```java\n(.*?)```(?:\\s+```text\n(.*?)```)?", Pattern.DOTALL);
  private static final Pattern CLASS = Pattern.compile("public final class (\\w+)");

  private record Example(String name, String source, String output) {}

  @TempDir Path classes;

  @TestFactory
  Stream<DynamicTest> examples() throws Exception {
    List<Example> examples = new ArrayList<>();
    Matcher found = EXAMPLE.matcher(Files.readString(Path.of("README.md")));
    while (found.find()) {
      Matcher name = CLASS.matcher(found.group(1));
      assertTrue(name.find(), found.group(1));
      examples.add(new Example(name.group(1), found.group(1), found.group(2)));
    }
    assertEquals(5, examples.size());
    return examples.stream()
        .map(example -> DynamicTest.dynamicTest(example.name(), () -> run(example)));
  }

  private void run(Example example) throws Exception {
    String address = System.getenv().getOrDefault("MUSTER_TEST_ADDRESS", "127.0.0.1:7070");
    compile(example.name(), example.source().replace("127.0.0.1:7070", address));
    if (example.output() == null) {
      return;
    }
    boolean isOnline = example.source().contains("127.0.0.1:7070");
    assumeTrue(
        !isOnline || System.getenv("MUSTER_TEST_ADDRESS") != null,
        "it compiles; MUSTER_TEST_ADDRESS names no control plane to run it with");
    assertEquals(example.output(), outputOf(example.name()));
  }

  private void compile(String name, String source) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    ByteArrayOutputStream complaints = new ByteArrayOutputStream();
    JavaFileObject file =
        new SimpleJavaFileObject(
            URI.create("string:///" + name + ".java"), JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreErrors) {
            return source;
          }
        };
    List<String> options =
        List.of("-d", classes.toString(), "-cp", System.getProperty("java.class.path"));
    boolean compiled =
        compiler
            .getTask(new java.io.PrintWriter(complaints), null, null, options, null, List.of(file))
            .call();
    assertTrue(compiled, complaints::toString);
  }

  private String outputOf(String name) throws Exception {
    PrintStream console = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    URL[] path = {classes.toUri().toURL()};
    try (URLClassLoader loader = new URLClassLoader(path);
        PrintStream capture = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      System.setOut(capture);
      loader.loadClass(name).getMethod("main", String[].class).invoke(null, (Object) new String[0]);
    } finally {
      System.setOut(console);
    }
    return printed.toString(StandardCharsets.UTF_8);
  }
}
