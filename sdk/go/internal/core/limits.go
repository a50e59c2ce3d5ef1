package core

import "time"

// The numbers of the dispatch protocol on the worker's side.
const (
	// creditLife is how long a credit lives on the worker's clock, counted from before it is sent.
	creditLife = 15 * time.Second
	// creditReplaceBelow: at a beat, unused credits with less than this left are voided and replaced.
	creditReplaceBelow = 8 * time.Second
	// prefetchWait is how long an accepted attempt may wait for a slot.
	prefetchWait = time.Second
	// prefetchWindow: the depth of the prefetch is the number of handlers that ended in this time ...
	prefetchWindow = 200 * time.Millisecond
	// ... but never more than maxPrefetch.
	maxPrefetch = 4_000
	// maxHeld bounds the attempts that a session holds; a heartbeat lists them all.
	maxHeld = 10_000
	// MaxSlots bounds the handlers that a worker may run at once.
	MaxSlots = 10_000
	// maxSpentCredits bounds the spent credits whose attempts are remembered.
	maxSpentCredits = 1_000

	// cancelMemory is how long a cancel is remembered for an attempt that has not arrived.
	cancelMemory = 15 * time.Second
	// maxCancels bounds the cancels that are remembered; the oldest goes first.
	maxCancels = 10_000

	// fenceMargin: the worker gives its lease up this long before the server does.
	fenceMargin = 2 * time.Second
	// usualLease: shorter leases keep the same share of themselves as the margin.
	usualLease = 15 * time.Second
	// runTimeoutGrace is what a handler gets between the signal of its run timeout and the report of it.
	runTimeoutGrace = 5 * time.Second
	// DefaultRunTimeout is that of an assignment that states none.
	DefaultRunTimeout = time.Hour
	// MaxRunTime is the longest that a handler may run, with all that it asks for.
	MaxRunTime = 30 * 24 * time.Hour

	// maxBeatsInFlight bounds the heartbeats that wait for their answer.
	maxBeatsInFlight = 4
	// minBeatGap is the least time between heartbeats that nothing urgent asks for: the server refuses more than 20 a second.
	minBeatGap = 60 * time.Millisecond
	// progressDelay: changed progress is sent within this time.
	progressDelay = time.Second
	// checkpointTries are the heartbeats that may fail with a checkpoint before the report of its attempt waits no longer.
	checkpointTries = 3
	// logDelay: a log record waits this long for others to come along ...
	logDelay = 10 * time.Millisecond
	// ... is sent no sooner than logGap after the last heartbeat ...
	logGap = 200 * time.Millisecond
	// ... or than this many times as long as that took to be answered, and within progressDelay at the latest.
	logGapRoundTrips = 10
	// offerDelay: slots that became free without a report are offered within this time.
	offerDelay = 100 * time.Millisecond
	// reconnectSpread: after a broken connection, workers beat at random times within this one.
	reconnectSpread = 500 * time.Millisecond
	// hearingTime: a subscription is given this long to bring a ping before it is given up for another one.
	hearingTime = time.Second
	// maxUpdateBytes bounds the progress, checkpoints and log records of one heartbeat ...
	maxUpdateBytes = 2 * 1024 * 1024
	// ... and maxUpdates the attempts that they are of.
	maxUpdates = 1_000

	// maxLogBytes bounds the log records of an attempt that wait to be sent; the oldest are dropped beyond that.
	maxLogBytes = 64 * 1024
	// MaxLogLineBytes bounds message and fields of one log record, in UTF-8.
	MaxLogLineBytes = 8 * 1024
	// MaxLogFields bounds the fields of one log record.
	MaxLogFields = 32

	// maxReports bounds the reports in one call ...
	maxReports = 1_000
	// ... and maxReportBytes their bytes; a single report may be larger.
	maxReportBytes = 3 * 1024 * 1024
	// maxReportCalls bounds the report calls that are under way at once.
	maxReportCalls = 2
	// secondCallFrom: a second call waits until this many reports are pending; smaller ones only cost both sides.
	secondCallFrom = 100
	// maxPendingReports: with more reports than this pending, no credit is granted ...
	maxPendingReports = 5_000
	// ... nor with more bytes of them than maxPendingReportBytes.
	maxPendingReportBytes = 32 * 1024 * 1024
	// reportTimeout is the longest wait for an answer to a report, which is sent again after it.
	reportTimeout = 10 * time.Second

	// openTimeout is the longest wait for an answer to OpenSession.
	openTimeout = 10 * time.Second
	// openRequestLife: a repeat of OpenSession is the same request for this long; later ones ask for a session of their own.
	openRequestLife = 5 * time.Second
	// closeTimeout is the longest wait for an answer to CloseSession.
	closeTimeout = 2 * time.Second

	// minBackoff bounds the first wait after a failed call, and maxBackoff every later one; waits double in between.
	minBackoff = 100 * time.Millisecond
	maxBackoff = 2 * time.Second
	// beatRetry bounds the wait after a heartbeat that failed; what the server asks for comes on top.
	beatRetry = time.Second
	// shortSession: a session that is lost within this time is followed by another one only after about as long.
	shortSession = time.Second

	// defaultBeatInterval and defaultLease are those of a server that states none.
	defaultBeatInterval = 5 * time.Second
	defaultLease        = 15 * time.Second
)
