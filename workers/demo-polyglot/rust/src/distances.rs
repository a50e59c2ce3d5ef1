//! The distances between airports, over all flights.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Radius of the earth, in miles.
const RADIUS: f64 = 3_958.8;

#[derive(Deserialize)]
pub struct Network {
    airports: Vec<Airport>,
    routes: Vec<Route>,
}

#[derive(Deserialize)]
struct Airport {
    code: String,
    /// In degrees, like the longitude.
    latitude: f64,
    longitude: f64,
}

#[derive(Deserialize)]
struct Route {
    from: String,
    to: String,
    flights: u64,
}

/// In whole miles. A route counts as often as it is flown.
#[derive(Debug, PartialEq, Serialize)]
pub struct Distances {
    /// The shortest distance that at least half (`median`) or nine in ten (`ninetieth`) of the flights do not exceed.
    median: u64,
    ninetieth: u64,
    longest: Longest,
}

#[derive(Debug, PartialEq, Serialize)]
struct Longest {
    from: String,
    to: String,
    miles: u64,
}

#[derive(Debug)]
pub enum NoDistance {
    UnknownAirport(String),
    NoFlights,
}

impl fmt::Display for NoDistance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAirport(code) => write!(f, "a route names {code}, which is none of the airports"),
            Self::NoFlights => write!(f, "there are no flights to measure"),
        }
    }
}

impl std::error::Error for NoDistance {}

impl Distances {
    pub fn of(network: &Network) -> Result<Self, NoDistance> {
        let airports: HashMap<&str, &Airport> = network.airports.iter().map(|one| (one.code.as_str(), one)).collect();
        let find = |code: &str| airports.get(code).ok_or_else(|| NoDistance::UnknownAirport(code.to_owned()));
        let mut measured = Vec::with_capacity(network.routes.len());
        for route in &network.routes {
            measured.push((miles(find(&route.from)?, find(&route.to)?), route));
        }
        // Of several with the same distance, the first in alphabetical order is the last here.
        measured.sort_by(|(a, left), (b, right)| a.total_cmp(b).then_with(|| right.from.cmp(&left.from)));
        let (longest, Route { from, to, .. }) = measured.last().ok_or(NoDistance::NoFlights)?;
        Ok(Self {
            median: quantile(&measured, 0.5),
            ninetieth: quantile(&measured, 0.9),
            longest: Longest { from: from.clone(), to: to.clone(), miles: longest.round() as u64 },
        })
    }
}

/// The great-circle distance, by the haversine formula.
fn miles(a: &Airport, b: &Airport) -> f64 {
    let (latitude_a, latitude_b) = (a.latitude.to_radians(), b.latitude.to_radians());
    let across = (latitude_b - latitude_a) / 2.0;
    let along = (b.longitude - a.longitude).to_radians() / 2.0;
    let half_chord = across.sin().powi(2) + latitude_a.cos() * latitude_b.cos() * along.sin().powi(2);
    2.0 * RADIUS * half_chord.sqrt().asin()
}

/// The shortest distance that at least this share of the flights does not exceed. `ascending` is ordered by distance.
fn quantile(ascending: &[(f64, &Route)], share: f64) -> u64 {
    let total: u64 = ascending.iter().map(|(_, route)| route.flights).sum();
    let mut seen = 0;
    let reached = ascending.iter().find(|(_, route)| {
        seen += route.flights;
        seen as f64 >= total as f64 * share
    });
    reached.map_or(0, |(miles, _)| miles.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(routes: &[(&str, &str, u64)]) -> Network {
        let airport = |code: &str, latitude, longitude| Airport { code: code.into(), latitude, longitude };
        let route = |&(from, to, flights): &(&str, &str, u64)| Route { from: from.into(), to: to.into(), flights };
        Network {
            airports: vec![airport("NUL", 0.0, 0.0), airport("EAST", 0.0, 90.0), airport("POLE", 45.0, 0.0)],
            routes: routes.iter().map(route).collect(),
        }
    }

    #[test]
    fn measures_along_great_circles_and_weighs_by_flights() {
        let distances = Distances::of(&network(&[("NUL", "EAST", 1), ("POLE", "NUL", 9)])).unwrap();
        let longest = Longest { from: "NUL".into(), to: "EAST".into(), miles: 6_218 };
        assert_eq!(distances, Distances { median: 3_109, ninetieth: 3_109, longest });
    }

    #[test]
    fn says_what_it_can_not_measure() {
        let lost = Distances::of(&network(&[("NUL", "LOST", 1)])).unwrap_err();
        assert_eq!(lost.to_string(), "a route names LOST, which is none of the airports");
        assert!(matches!(Distances::of(&network(&[])), Err(NoDistance::NoFlights)));
    }
}
