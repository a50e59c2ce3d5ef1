//! Sends reports until each is acknowledged. With no call in progress it sends at once; otherwise reports collect for
//! the next call.

use std::collections::HashMap;

use tonic::Code;

use super::backoff::backoff;
use super::call_failure::is_lease_lost;
use super::grants::Terms;
use super::held::HeldId;
use super::host::Host;
use super::limits::{MAX_BACKOFF, MAX_PENDING_REPORT_BYTES, MAX_PENDING_REPORTS, MAX_REPORT_CALLS, SECOND_CALL_FROM};
use super::outcome::{Outcome, REFUSED, sdk_failure};
use super::report_batches::{PendingReport, ReportBatches};
use super::{Millis, NEVER};
use crate::error::CallError;
use crate::worker::v1 as protocol;

/// Number of a ReportAttempts call in a session.
pub(crate) type ReportCall = u64;

#[derive(Debug)]
struct Flight {
    batch: Vec<PendingReport>,
    terms: Terms,
}

/// The result of a call.
#[derive(Debug, Default)]
pub(crate) struct ReportsOver {
    /// The server has closed these attempts, or says that this session does not own them.
    pub acknowledged: Vec<HeldId>,
    /// The credits that the call granted and voided.
    pub terms: Terms,
    /// Whether the call was answered.
    pub answered: bool,
    pub lease_lost: bool,
}

#[derive(Debug)]
pub(crate) struct Reports {
    batches: ReportBatches,
    in_flight: HashMap<ReportCall, Flight>,
    last_call: ReportCall,
    failures: u32,
    /// The earliest time of the next call after a failed one.
    retry_at: Millis,
}

impl Default for Reports {
    fn default() -> Self {
        Self {
            batches: ReportBatches::default(),
            in_flight: HashMap::new(),
            last_call: 0,
            failures: 0,
            retry_at: NEVER,
        }
    }
}

impl Reports {
    /// Whether so much is pending that no more attempts should be requested.
    pub fn is_backlogged(&self) -> bool {
        self.batches.len() > MAX_PENDING_REPORTS || self.batches.bytes() > MAX_PENDING_REPORT_BYTES
    }

    /// Whether a report is pending or being sent, so that its call will offer free slots.
    pub fn is_active(&self) -> bool {
        !self.in_flight.is_empty() || self.batches.len() > 0
    }

    pub fn retry_at(&self) -> Millis {
        self.retry_at
    }

    /// Queues a report.
    pub fn add(&mut self, report: PendingReport) {
        self.batches.add(report);
    }

    pub fn may_call(&mut self, now: Millis) -> bool {
        if self.retry_at != NEVER {
            if now < self.retry_at {
                return false;
            }
            self.retry_at = NEVER;
        }
        match self.in_flight.len() {
            0 => self.batches.len() > 0,
            calls => calls < MAX_REPORT_CALLS && self.batches.len() >= SECOND_CALL_FROM,
        }
    }

    /// The next call and its reports; it also carries credits.
    pub fn call(&mut self, terms: Terms) -> (ReportCall, Vec<protocol::AttemptReport>) {
        self.last_call += 1;
        let batch = self.batches.take();
        let reports = batch.iter().map(|pending| pending.report.clone()).collect();
        self.in_flight.insert(self.last_call, Flight { batch, terms });
        (self.last_call, reports)
    }

    pub fn over(
        &mut self,
        host: &mut Host,
        now: Millis,
        call: ReportCall,
        answer: Result<protocol::ReportAttemptsResponse, CallError>,
    ) -> ReportsOver {
        let Some(Flight { batch, terms }) = self.in_flight.remove(&call) else {
            return ReportsOver::default();
        };
        let mut over = ReportsOver { terms, answered: answer.is_ok(), ..ReportsOver::default() };
        match answer {
            Ok(response) => self.answered(host, now, batch, &response, &mut over),
            Err(failure) => {
                if is_lease_lost(&failure) {
                    over.lease_lost = true;
                } else if failure.code == Code::InvalidArgument {
                    self.isolate(host, batch, &failure, &mut over);
                } else {
                    self.again(host, now, batch, &failure);
                }
            }
        }
        over
    }

    fn answered(
        &mut self,
        host: &mut Host,
        now: Millis,
        batch: Vec<PendingReport>,
        response: &protocol::ReportAttemptsResponse,
        over: &mut ReportsOver,
    ) {
        let mut unanswered = Vec::new();
        for (at, report) in batch.into_iter().enumerate() {
            match response.results.get(at) {
                None | Some(0) => unanswered.push(report),
                Some(_) => over.acknowledged.push(report.held),
            }
        }
        if unanswered.is_empty() {
            self.failures = 0;
        } else {
            let failure = CallError::new(Code::Unknown, "a report was not answered");
            self.again(host, now, unanswered, &failure);
        }
    }

    /// The call failed or its outcome is unknown: the same reports are sent again after a backoff.
    fn again(&mut self, host: &mut Host, now: Millis, batch: Vec<PendingReport>, failure: &CallError) {
        self.failures += 1;
        let wait = backoff(self.failures, failure, MAX_BACKOFF, host.random());
        host.warn(format!("{} reports will be sent again in {wait} ms: {failure}", batch.len()));
        self.batches.put_back(batch);
        self.retry_at = self.retry_at.min(now + wait);
    }

    /// A report that the server will never accept must not block the others: the batch is halved until the report is
    /// alone.
    fn isolate(&mut self, host: &mut Host, mut batch: Vec<PendingReport>, failure: &CallError, over: &mut ReportsOver) {
        if batch.len() > 1 {
            let second = batch.split_off(batch.len() / 2);
            self.batches.put_back(batch);
            self.batches.put_back(second);
            return;
        }
        let Some(mut refused) = batch.pop() else { return };
        host.error(format!("a report was refused: {failure}"));
        let replaceable = match &refused.report.outcome {
            Some(Outcome::Result(_)) => true,
            Some(Outcome::Failure(failure)) => failure.r#type != REFUSED,
            _ => false,
        };
        if !replaceable {
            over.acknowledged.push(refused.held);
            return;
        }
        let message = format!("the server refused what the handler returned: {}", failure.message);
        refused.report.outcome = Some(Outcome::Failure(sdk_failure(REFUSED, message)));
        refused.report.logs.clear();
        self.batches.put_back(vec![PendingReport::new(refused.held, refused.report)]);
    }
}
