package core

import "time"

// The constants of the dispatch protocol on the worker's side.
const (
	// creditLife is the life of a credit on the worker's clock, counted from before it is sent.
	creditLife = 15 * time.Second
	// creditReplaceBelow is the remaining life below which a heartbeat voids and replaces unused credits.
	creditReplaceBelow = 8 * time.Second
	// prefetchWait is the maximum time that an accepted attempt waits for a slot.
	prefetchWait = time.Second
	// prefetchWindow is the time in which ended handlers are counted: their number is the prefetch depth ...
	prefetchWindow = 200 * time.Millisecond
	// ... limited to maxPrefetch.
	maxPrefetch = 4_000
	// maxHeld is the maximum number of attempts that a session holds; a heartbeat lists them all.
	maxHeld = 10_000
	// MaxSlots is the maximum number of concurrent handlers of a worker.
	MaxSlots = 10_000
	// maxSpentCredits is the maximum number of spent credits whose attempts are remembered.
	maxSpentCredits = 1_000

	// cancelMemory is how long a cancel is remembered for an attempt that has not arrived.
	cancelMemory = 15 * time.Second
	// maxCancels is the maximum number of remembered cancels; the oldest is removed first.
	maxCancels = 10_000

	// fenceMargin is how long before the server the worker considers its lease lost.
	fenceMargin = 2 * time.Second
	// usualLease is the lease for which fenceMargin is meant; shorter leases have a proportional margin.
	usualLease = 15 * time.Second
	// runTimeoutGrace is the time between the signal of a run timeout and its report.
	runTimeoutGrace = 5 * time.Second
	// DefaultRunTimeout applies to assignments without a run timeout.
	DefaultRunTimeout = time.Hour
	// MaxRunTime is the maximum run time of a handler, extensions included.
	MaxRunTime = 30 * 24 * time.Hour

	// maxBeatsInFlight is the maximum number of unanswered heartbeats.
	maxBeatsInFlight = 4
	// minBeatGap is the minimum time between heartbeats that are not urgent: the server refuses more than 20 per
	// second.
	minBeatGap = 60 * time.Millisecond
	// progressDelay is the maximum delay before changed progress is sent.
	progressDelay = time.Second
	// checkpointTries is the number of failed heartbeats with a checkpoint after which the attempt's report is sent
	// without it.
	checkpointTries = 3
	// logDelay is how long a log record waits for others to be sent with it ...
	logDelay = 10 * time.Millisecond
	// ... but it is sent no sooner than logGap after the last heartbeat ...
	logGap = 200 * time.Millisecond
	// ... nor sooner than this many round trips of that heartbeat, and at the latest after progressDelay.
	logGapRoundTrips = 10
	// offerDelay is the maximum delay before slots that became free without a report are offered.
	offerDelay = 100 * time.Millisecond
	// reconnectSpread is the range of the random delay before a heartbeat after a broken connection.
	reconnectSpread = 500 * time.Millisecond
	// hearingTime is how long a subscription may take to deliver a ping before it may be replaced.
	hearingTime = time.Second
	// maxUpdateBytes limits the progress, checkpoints and log records of one heartbeat ...
	maxUpdateBytes = 2 * 1024 * 1024
	// ... and maxUpdates the number of attempts that they belong to.
	maxUpdates = 1_000

	// maxLogBytes limits the unsent log records of an attempt; beyond that, the oldest are dropped.
	maxLogBytes = 64 * 1024
	// MaxLogLineBytes limits message and fields of one log record, in UTF-8.
	MaxLogLineBytes = 8 * 1024
	// MaxLogFields limits the number of fields of one log record.
	MaxLogFields = 32

	// maxReports limits the reports in one call ...
	maxReports = 1_000
	// ... and maxReportBytes their size; a single report may be larger.
	maxReportBytes = 3 * 1024 * 1024
	// maxReportCalls is the maximum number of concurrent report calls.
	maxReportCalls = 2
	// secondCallFrom is the number of pending reports from which a second call is made; smaller calls only cost both
	// sides.
	secondCallFrom = 100
	// maxPendingReports is the number of pending reports above which no credit is granted ...
	maxPendingReports = 5_000
	// ... and maxPendingReportBytes is the same limit in bytes.
	maxPendingReportBytes = 32 * 1024 * 1024
	// reportTimeout is the maximum wait for an answer to a report; then it is sent again.
	reportTimeout = 10 * time.Second

	// applyTimeout is the maximum wait for an answer to ApplyJobDefinition.
	applyTimeout = 10 * time.Second
	// openTimeout is the maximum wait for an answer to OpenSession.
	openTimeout = 10 * time.Second
	// openRequestLife is how long a repeat of OpenSession keeps its request id; later repeats request a new session.
	openRequestLife = 5 * time.Second
	// closeTimeout is the maximum wait for an answer to CloseSession.
	closeTimeout = 2 * time.Second

	// minBackoff is the upper bound of the first wait after a failed call, and maxBackoff that of every later one; the
	// bound doubles in between.
	minBackoff = 100 * time.Millisecond
	maxBackoff = 2 * time.Second
	// beatRetry is the upper bound of the wait after a failed heartbeat; a delay that the server requests is added.
	beatRetry = time.Second
	// shortSession is the lifetime below which a lost session is short: the next one is opened only after about as
	// long.
	shortSession = time.Second

	// defaultBeatInterval and defaultLease apply when the server states none.
	defaultBeatInterval = 5 * time.Second
	defaultLease        = 15 * time.Second
)
