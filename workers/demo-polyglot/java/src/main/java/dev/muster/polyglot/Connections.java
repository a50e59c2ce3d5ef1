package dev.muster.polyglot;

import dev.muster.sdk.JobContext;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The minimum number of flights between airports.
 *
 * @param pairs Pairs of airports, both directions counted separately, by that number. Pairs without
 *     a connection are left out.
 * @param most A journey with the most flights; the first in alphabetical order.
 */
record Connections(Map<Integer, Integer> pairs, List<String> most) {

  /** Searches from each airport to all others. */
  static Connections of(Network network, JobContext ctx) {
    Map<String, List<String>> next = new HashMap<>();
    TreeSet<String> airports = new TreeSet<>();
    for (Network.Route route : network.routes()) {
      airports.add(route.from());
      airports.add(route.to());
      next.computeIfAbsent(route.from(), from -> new ArrayList<>()).add(route.to());
    }
    Map<Integer, Integer> pairs = new TreeMap<>();
    List<String> most = List.of();
    int looked = 0;
    for (String from : airports) {
      ctx.progress((double) looked++ / airports.size(), from);
      for (List<String> journey : journeys(from, next)) {
        pairs.merge(journey.size() - 1, 1, Integer::sum);
        if (journey.size() > most.size()) {
          most = journey;
        }
      }
    }
    return new Connections(pairs, most);
  }

  /** The shortest journeys to all reachable airports, shortest first, each with its start. */
  private static List<List<String>> journeys(String start, Map<String, List<String>> next) {
    Map<String, String> before = new HashMap<>();
    before.put(start, "");
    List<List<String>> journeys = new ArrayList<>();
    Deque<String> open = new ArrayDeque<>(List.of(start));
    while (!open.isEmpty()) {
      String from = open.remove();
      for (String to : next.getOrDefault(from, List.of())) {
        if (before.putIfAbsent(to, from) == null) {
          open.add(to);
          journeys.add(journeyTo(to, before));
        }
      }
    }
    return journeys;
  }

  private static List<String> journeyTo(String end, Map<String, String> before) {
    Deque<String> journey = new ArrayDeque<>();
    for (String airport = end; !airport.isEmpty(); airport = before.get(airport)) {
      journey.addFirst(airport);
    }
    return List.copyOf(journey);
  }
}
