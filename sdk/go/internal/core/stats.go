package core

// Stats counts what happened. The numbers only rise.
type Stats struct {
	// Sessions opened.
	Sessions int
	// SessionsLost: sessions that the server had closed.
	SessionsLost int
	// Accepted attempts.
	Accepted int
	// Duplicates: assignments ignored because the attempt was known.
	Duplicates int
	// Ignored: assignments ignored because the lease could not be proved, or the held list was full.
	Ignored int
	// Released: attempts given back before their handler was entered.
	Released int
	// Aborted: handlers stopped because the lease could not be proved.
	Aborted int
	// Fences: times that the fence fell.
	Fences int
	// Timeouts: handlers stopped by their run timeout.
	Timeouts int
	// Cancels received for running handlers.
	Cancels int
	// Acknowledged reports.
	Acknowledged int
}
