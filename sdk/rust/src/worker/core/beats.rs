//! Schedules heartbeats. A slow answer never delays the next heartbeat.

use super::backoff::backoff;
use super::limits::{
    BEAT_JITTER, BEAT_RETRY, LOG_DELAY, LOG_GAP, LOG_GAP_ROUND_TRIPS, MAX_BEATS_IN_FLIGHT, MIN_BEAT_GAP, PROGRESS_DELAY,
};
use super::{Millis, NEVER};
use crate::error::CallError;

#[derive(Debug)]
pub(crate) struct Beats {
    interval: Millis,
    due: Millis,
    /// When a heartbeat for log records is due.
    log_due: Millis,
    last_sent: Option<Millis>,
    /// The time of the next regular heartbeat. It keeps the lease, so no backoff delays it.
    regular_at: Millis,
    /// Failures since the last answer.
    failures: u32,
    /// The end of the backoff after a failure. Only a change of the bus connection triggers an earlier heartbeat.
    not_before: Millis,
    /// How long the last heartbeat took to be answered; `NEVER` if it failed.
    round_trip: Millis,
    in_flight: usize,
}

impl Beats {
    pub fn new(interval: Millis) -> Self {
        Self {
            interval,
            due: NEVER,
            log_due: NEVER,
            last_sent: None,
            regular_at: NEVER,
            failures: 0,
            not_before: 0,
            round_trip: 0,
            in_flight: 0,
        }
    }

    pub fn interval(&self) -> Millis {
        self.interval
    }

    pub fn due(&self) -> Millis {
        self.due.min(self.log_due)
    }

    /// Whether a heartbeat must be sent now. `updates_pending`: updates are pending; records of an ended attempt are
    /// sent with its report.
    pub fn take_due(&mut self, now: Millis, updates_pending: bool) -> bool {
        if self.log_due <= now {
            self.log_due = NEVER;
            if updates_pending {
                self.within(now, 0);
            }
        }
        self.due <= now
    }

    /// Whether a heartbeat may be sent at once. With too many unanswered, it retries after a short time, without
    /// waiting for the answers.
    pub fn may_send(&mut self, now: Millis) -> bool {
        if self.in_flight < MAX_BEATS_IN_FLIGHT {
            return true;
        }
        self.due = now + MIN_BEAT_GAP;
        false
    }

    /// A heartbeat was sent. `random` is from 0 to 1.
    pub fn sent(&mut self, now: Millis, random: f64) {
        self.last_sent = Some(now);
        self.regular_at = now + (self.interval as f64 * (1.0 - BEAT_JITTER * random)) as Millis;
        self.due = self.regular_at;
        self.in_flight += 1;
    }

    /// A heartbeat was answered, or has failed. `random` is from 0 to 1.
    pub fn over(&mut self, now: Millis, sent_at: Millis, failure: Option<&CallError>, random: f64) {
        self.in_flight -= 1;
        if let Some(failure) = failure {
            self.round_trip = NEVER;
            self.put_off(now, failure, random);
        } else {
            self.round_trip = now.saturating_sub(sent_at);
            self.failures = 0;
            self.not_before = 0;
        }
    }

    /// Schedules a heartbeat within `delay`, but keeps the minimum gap to the last one and the backoff after a failure.
    pub fn within(&mut self, now: Millis, delay: Millis) {
        self.due = self.due.min((now + delay).max(self.earliest()).max(self.not_before));
    }

    /// Log records are waiting that no heartbeat has carried. A control plane that answers slowly gets fewer heartbeats
    /// for them, so that log records cost it a bounded share of its time, however many handlers log.
    pub fn logged(&mut self, now: Millis) {
        let gap = PROGRESS_DELAY.min(LOG_GAP.max(self.round_trip.saturating_mul(LOG_GAP_ROUND_TRIPS)));
        let earliest = self.last_sent.map_or(0, |sent| sent + gap);
        self.log_due = self.log_due.min((now + LOG_DELAY).max(earliest));
    }

    /// Delays heartbeats after a failure, requested ones included.
    fn put_off(&mut self, now: Millis, failure: &CallError, random: f64) {
        self.failures = self.failures.saturating_add(1);
        let wait = backoff(self.failures, failure, BEAT_RETRY, random).min(self.interval);
        self.not_before = self.not_before.max(now + wait).max(self.earliest());
        self.due = self.not_before.min(self.regular_at);
    }

    fn earliest(&self) -> Millis {
        self.last_sent.map_or(0, |sent| sent + MIN_BEAT_GAP)
    }
}
