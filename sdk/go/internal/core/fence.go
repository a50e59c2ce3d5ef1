package core

import "time"

// fence is the time until which the worker may rely on its lease.
//
// The lease counts from the sending of the last answered heartbeat: the server renewed it at some time after that, so
// the worker's fence always passes before the server's.
type fence struct {
	validFor time.Duration
	at       time.Time
}

func newFence(openedAt time.Time, lease time.Duration) fence {
	margin := min(fenceMargin, time.Duration(float64(lease)*float64(fenceMargin)/float64(usualLease)))
	validFor := lease - margin
	return fence{validFor: validFor, at: openedAt.Add(validFor)}
}

func (f *fence) passed(now time.Time) bool { return !now.Before(f.at) }

// extend is called for an answered heartbeat that was sent at sentAt. A late answer never moves the fence back.
func (f *fence) extend(sentAt time.Time) {
	if at := sentAt.Add(f.validFor); at.After(f.at) {
		f.at = at
	}
}
