//! The core with a clock, a network and handlers that the tests control.

mod acceptance;
mod applying;
mod beats;
mod bench;
mod bytes;
mod cancel;
mod credits;
mod drain;
mod duplicates;
mod fence;
mod opening;
mod parts;
mod random_walk;
mod reports;
mod run_timeout;
mod suspend;
mod updates;
