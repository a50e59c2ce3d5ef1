package core

import (
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/muster-jobs/muster/sdk/go/internal/rpcerror"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// refused is the type of the failure that replaces a report that the server does not accept.
const refused = "ReportRefused"

type reportsOwner interface {
	// sendReports makes the call, which also carries credits; then is called with its answer.
	sendReports(reports []*workerpb.AttemptReport, then func(*workerpb.ReportAttemptsResponse, error))
	// acknowledged is called when the server has closed the attempt, or says that this session does not own it.
	acknowledged(entry *held)
	sessionLost()
	// settled is called when a call is over and everything that could be sent has been sent.
	settled()
}

// reports sends reports until each is acknowledged. With no call in progress it sends at once; otherwise reports
// collect for the next call.
type reports struct {
	owner    reportsOwner
	logger   *slog.Logger
	batches  reportBatches
	retry    *alarm
	inFlight int
	failures int
	waiting  bool
	closed   bool
}

func newReports(do func(func()), owner reportsOwner, logger *slog.Logger) *reports {
	r := &reports{owner: owner, logger: logger}
	r.retry = newAlarm(do, func() {
		r.waiting = false
		r.flush()
	})
	return r
}

// backlogged reports whether so much is pending that no more attempts should be requested.
func (r *reports) backlogged() bool {
	return r.batches.count > maxPendingReports || r.batches.bytes > maxPendingReportBytes
}

// active reports whether a report is pending or being sent, so that its call will offer free slots.
func (r *reports) active() bool { return r.inFlight > 0 || r.batches.count > 0 }

// add queues a report; flush sends it.
func (r *reports) add(entry *held, outcome Outcome) { r.batches.add(entry, outcome) }

func (r *reports) flush() {
	for r.mayCall() {
		r.call(r.batches.take())
	}
}

func (r *reports) close() {
	r.closed = true
	r.retry.cancel()
}

func (r *reports) mayCall() bool {
	if r.closed || r.waiting || r.batches.count == 0 {
		return false
	}
	return r.inFlight == 0 || (r.inFlight < maxReportCalls && r.batches.count >= secondCallFrom)
}

func (r *reports) call(batch []*pendingReport) {
	r.inFlight++
	messages := make([]*workerpb.AttemptReport, len(batch))
	for i, report := range batch {
		messages[i] = &workerpb.AttemptReport{
			JobId:   report.held.jobID,
			Attempt: report.held.attempt,
			Outcome: report.outcome.Outcome,
			Logs:    report.held.logs.messages(),
		}
	}
	r.owner.sendReports(messages, func(response *workerpb.ReportAttemptsResponse, err error) {
		r.inFlight--
		if r.closed {
			return
		}
		if err == nil {
			r.answered(batch, response.Results)
		} else {
			r.failed(batch, rpcerror.Of(err))
		}
		r.flush()
		if !r.closed {
			r.owner.settled()
		}
	})
}

func (r *reports) answered(batch []*pendingReport, results []workerpb.ReportResult) {
	var unanswered []*pendingReport
	for i, report := range batch {
		if i < len(results) && results[i] != workerpb.ReportResult_REPORT_RESULT_UNSPECIFIED {
			r.owner.acknowledged(report.held)
		} else {
			unanswered = append(unanswered, report)
		}
	}
	if len(unanswered) == 0 {
		r.failures = 0
	} else {
		r.again(unanswered, rpcerror.Facts{Code: codes.Unknown, Message: "a report was not answered"})
	}
}

func (r *reports) failed(batch []*pendingReport, failure rpcerror.Facts) {
	switch {
	case failure.IsLeaseLost():
		r.owner.sessionLost()
	case failure.Code == codes.InvalidArgument:
		r.isolate(batch, failure)
	default:
		r.again(batch, failure)
	}
}

// again is called when the call failed or its outcome is unknown: the same reports are sent again after a backoff.
func (r *reports) again(batch []*pendingReport, failure rpcerror.Facts) {
	r.batches.putBack(batch)
	r.failures++
	wait := backoff(r.failures, failure, maxBackoff)
	r.logger.Warn("reports will be sent again", "reports", len(batch), "wait", wait, "error", failure.Message)
	r.waiting = true
	r.retry.by(time.Now().Add(wait))
}

// isolate handles a report that the server will never accept, which must not block the others: the batch is halved
// until the report is alone.
func (r *reports) isolate(batch []*pendingReport, failure rpcerror.Facts) {
	if len(batch) > 1 {
		half := len(batch) / 2
		r.batches.putBack(batch[:half:half])
		r.batches.putBack(batch[half:])
		return
	}
	report := batch[0]
	r.logger.Error("a report was refused", "outcome", fmt.Sprintf("%T", report.outcome.Outcome), "error", failure.Message)
	if !replaceable(report.outcome) {
		r.owner.acknowledged(report.held)
		return
	}
	report.held.logs = nil
	report.outcome = Failure(sdkFailure(refused, "the server refused what the handler returned: "+failure.Message))
	report.bytes = outcomeBytes(report.outcome)
	r.batches.putBack(batch)
}

func replaceable(outcome Outcome) bool {
	if failure := outcome.GetFailure(); failure != nil {
		return failure.Type != refused
	}
	return outcome.GetResult() != nil || outcome.GetSuspended() != nil
}
