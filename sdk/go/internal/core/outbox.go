package core

import (
	"context"
	"log/slog"
	"time"

	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

type outboxOwner interface {
	mayGrant(now time.Time) bool
	// acknowledged is called when the server has closed the attempt, or says that this session does not own it.
	acknowledged(entry *held)
	// beatWanted is called when a heartbeat is needed soon, because a report waits for its checkpoint to be carried.
	beatWanted()
	sessionLost()
	// settled is called when a call is over and everything that could be sent has been sent.
	settled()
}

// outbox takes the outcome of an attempt and delivers it until the server acknowledges it.
type outbox struct {
	outboxOwner
	core      *Core
	sessionID []byte
	grants    *grants
	updates   *updates
	gate      checkpointGate
	reports   *reports
}

func newOutbox(core *Core, sessionID []byte, grants *grants, updates *updates, owner outboxOwner, logger *slog.Logger) *outbox {
	o := &outbox{outboxOwner: owner, core: core, sessionID: sessionID, grants: grants, updates: updates}
	o.reports = newReports(core.do, o, logger)
	return o
}

// add queues the report that closes an attempt; flush sends it.
func (o *outbox) add(entry *held, outcome Outcome) {
	if o.gate.holds(entry, outcome) {
		o.beatWanted()
	} else {
		o.queue(entry, outcome)
	}
}

// beatOver is called when a heartbeat is over: reports that waited for it may be sent.
func (o *outbox) beatOver(beat int, delivered bool) {
	for _, one := range o.gate.pass(beat, delivered) {
		o.queue(one.held, one.outcome)
	}
}

func (o *outbox) queue(entry *held, outcome Outcome) {
	o.updates.drop(entry)
	o.reports.add(entry, outcome)
}

// sendReports makes the call. The slots that the reports free are granted again in the same call.
func (o *outbox) sendReports(reports []*workerpb.AttemptReport, then func(*workerpb.ReportAttemptsResponse, error)) {
	now := time.Now()
	said := o.grants.compose(now, o.mayGrant(now))
	request := &workerpb.ReportAttemptsRequest{
		SessionId:       o.sessionID,
		Reports:         reports,
		Credits:         said.credits,
		VoidedCreditIds: said.voided,
	}
	call := func(ctx context.Context) (*workerpb.ReportAttemptsResponse, error) {
		return o.core.ports.API.ReportAttempts(ctx, request)
	}
	answer(o.core, reportTimeout, call, func(response *workerpb.ReportAttemptsResponse, err error) {
		if err != nil {
			o.grants.failed(said)
		} else {
			o.grants.answered(said)
		}
		then(response, err)
	})
}
