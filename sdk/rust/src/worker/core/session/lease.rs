//! What a session does while its lease can't be proved.

use super::{Host, Millis, Session, WorkerEvent};

impl Session {
    pub(super) fn watch(&mut self, host: &mut Host, now: Millis) {
        self.attempts.clear_due();
        if self.fence.passed(now) {
            self.fall(host);
        } else {
            self.attempts.due_by(self.fence.at());
        }
        self.attempts.watch(host, now);
        self.advance(host, now);
    }

    /// The lease can't be proved any more. The session is kept and continues to send heartbeats.
    fn fall(&mut self, host: &mut Host) {
        if std::mem::replace(&mut self.fenced, true) {
            return;
        }
        host.stats.fences += 1;
        host.warn("the lease can not be proved: handlers are stopped until a heartbeat is answered".into());
        self.attempts.grants.void_all();
        self.attempts.abort(host);
        host.event(WorkerEvent::Fenced);
    }

    pub(super) fn recover(&mut self, host: &mut Host, now: Millis) {
        self.fenced = false;
        self.attempts.due_by(self.fence.at());
        self.beats.within(now, 0);
        host.event(WorkerEvent::Recovered);
    }
}
