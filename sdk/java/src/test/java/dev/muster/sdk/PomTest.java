package dev.muster.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The versions in the BOM and in the README are those of the SDK's pom.xml. */
class PomTest {
  private static final Pattern README_VERSIONS =
      Pattern.compile("muster-(?:sdk|bom)(?:</artifactId>\\s+<version>|:)([^<`\"]+)");

  private static String first(String file, String tag) throws IOException {
    var found =
        Pattern.compile("<" + tag + ">([^<]*)</" + tag + ">")
            .matcher(Files.readString(Path.of(file)));
    assertTrue(found.find(), tag);
    return found.group(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"groupId", "version", "grpc\\.version", "protobuf\\.version", "url"})
  void theBomAgreesWithTheSdk(String tag) throws IOException {
    assertEquals(first("pom.xml", tag), first("bom/pom.xml", tag));
  }

  @Test
  void theReadmeNamesTheVersionOfTheSdk() throws IOException {
    List<String> versions =
        README_VERSIONS
            .matcher(Files.readString(Path.of("README.md")))
            .results()
            .map((MatchResult found) -> found.group(1))
            .toList();
    assertFalse(versions.isEmpty());
    assertEquals(
        List.of(System.getProperty("muster.version")), versions.stream().distinct().toList());
  }
}
