package dev.muster.polyglot;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.List;

/**
 * The part of the result of step routes that is used here.
 *
 * @param routes In alphabetical order.
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record Network(List<Route> routes) {
  /** A direct flight from one airport to another. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  record Route(String from, String to) {}
}
