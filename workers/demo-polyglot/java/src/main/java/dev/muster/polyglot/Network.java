package dev.muster.polyglot;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.List;

/**
 * What step routes has read, as far as it matters here.
 *
 * @param routes In the order of the alphabet.
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record Network(List<Route> routes) {
  /** From one airport to another, without a stop. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  record Route(String from, String to) {}
}
