package core

// Stats holds counters. They only increase.
type Stats struct {
	// Sessions counts opened sessions.
	Sessions int
	// SessionsLost counts sessions that the server closed.
	SessionsLost int
	// Accepted counts accepted attempts.
	Accepted int
	// Duplicates counts assignments ignored because the attempt was known.
	Duplicates int
	// Ignored counts assignments ignored because the lease could not be proved, or the held list was full.
	Ignored int
	// Released counts attempts given back before their handler was entered.
	Released int
	// Aborted counts handlers stopped because the lease could not be proved.
	Aborted int
	// Fences counts how often the fence passed.
	Fences int
	// Timeouts counts handlers stopped by their run timeout.
	Timeouts int
	// Cancels counts cancels received for running handlers.
	Cancels int
	// Acknowledged counts acknowledged reports.
	Acknowledged int
}
