//! Checks the worker's invariants under random sequences of events. A failing walk names its seed.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::bench::{Bench, assignment, failure, lease_lost, result, unavailable};
use crate::v1;
use crate::worker::core::slot_table::Slot;
use crate::worker::v1 as protocol;

const WALKS: u64 = 300;
const STEPS: usize = 400;
const SLOTS: i32 = 3;

struct Walk {
    random: SmallRng,
    bench: Bench,
    entered: Vec<Slot>,
    credits: Vec<protocol::Credit>,
    jobs: u128,
    seen: usize,
}

impl Walk {
    fn step(&mut self) {
        match self.random.random_range(0..12) {
            0..=2 => self.assign(),
            3 | 4 => self.enter(),
            5 | 6 => self.end(),
            7 => self.answer_beat(),
            8 => self.answer_reports(),
            9 => self.bench.cancel(self.random.random_range(0..=self.jobs)),
            10 => self.bench.advance(self.random.random_range(0..3_000)),
            _ => self.disturb(),
        }
        self.note_credits();
        while !self.bench.opens.is_empty() {
            self.bench.open();
            let session = self.bench.sessions;
            self.bench.deliver(|core, now| core.bus_changed(now, session, true));
            self.bench.ping();
        }
        assert!(self.entered.len() <= SLOTS as usize, "more handlers than slots");
    }

    fn assign(&mut self) {
        let Some(credit) = self.credits.last().cloned() else { return };
        self.jobs += 1;
        let job = if self.random.random_bool(0.2) { self.random.random_range(1..=self.jobs) } else { self.jobs };
        let prefetch = self.random.random_bool(0.3);
        self.bench.assign(vec![protocol::Assignment { prefetch, ..assignment(job, &credit) }]);
    }

    fn enter(&mut self) {
        while self.seen < self.bench.started.len() {
            let started = &self.bench.started[self.seen];
            self.seen += 1;
            if started.gate.enter() {
                self.entered.push(started.slot);
                return;
            }
        }
    }

    fn end(&mut self) {
        if self.entered.is_empty() {
            return;
        }
        let slot = self.entered.swap_remove(self.random.random_range(0..self.entered.len()));
        let outcome = if self.random.random_bool(0.5) { result("done") } else { failure("Oops") };
        self.bench.end(slot, outcome);
    }

    fn answer_beat(&mut self) {
        let Some(beat) = self.bench.beats.pop_front() else { return };
        match self.random.random_range(0..10) {
            0 => self.bench.fail_beat(beat, lease_lost()),
            1..=3 => self.bench.fail_beat(beat, unavailable()),
            _ => self.bench.answer_beat(beat, protocol::SendHeartbeatResponse::default()),
        }
    }

    fn answer_reports(&mut self) {
        if self.bench.reports.is_empty() {
            return;
        }
        if self.random.random_bool(0.3) {
            self.bench.fail_reports(unavailable());
        } else {
            self.bench.accept_reports();
        }
    }

    fn disturb(&mut self) {
        let session = self.bench.sessions;
        let connected = self.random.random_bool(0.5);
        self.bench.deliver(|core, now| core.bus_changed(now, session, connected));
        self.bench.ping();
        if let Some(slot) = self.entered.last().copied() {
            self.bench.deliver(|core, now| core.checkpoint(now, slot, v1::Payload::bytes(vec![1])));
        }
    }

    fn note_credits(&mut self) {
        let beats = self.bench.beats.iter().flat_map(|beat| &beat.request.credits);
        let reports = self.bench.reports.iter().flat_map(|sent| &sent.request.credits);
        for credit in beats.chain(reports) {
            assert!(credit.slots <= SLOTS, "more slots are promised than there are: {credit:?}");
            if !self.credits.contains(credit) {
                self.credits.push(*credit);
            }
        }
    }

    /// Without further faults, everything held must be reported, and all slots offered again.
    fn settle(mut self) {
        for _ in 0..500 {
            self.enter();
            while !self.entered.is_empty() {
                self.end();
            }
            self.bench.answer_beats();
            while !self.bench.reports.is_empty() {
                self.bench.accept_reports();
            }
            while !self.bench.opens.is_empty() {
                self.bench.open();
            }
            self.bench.advance(100);
        }
        self.bench.answer_beats();
        assert_eq!(self.bench.held(), [], "something is held for ever");
        self.bench.deliver(|core, now| core.drain(now));
        assert_eq!(self.bench.closes, 1, "the worker can't be drained");
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_held_for_ever() {
    for seed in 0..WALKS {
        eprintln!("seed {seed}");
        let (bench, credit) = Bench::ready(SLOTS);
        let random = SmallRng::seed_from_u64(seed);
        let mut walk = Walk { random, bench, entered: Vec::new(), credits: vec![credit], jobs: 0, seen: 0 };
        (0..STEPS).for_each(|_| walk.step());
        walk.settle();
    }
}
