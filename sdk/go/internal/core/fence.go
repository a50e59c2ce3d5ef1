package core

import "time"

// fence says until when the worker may believe that its lease holds.
//
// The lease counts from the sending of the last answered heartbeat: the server renewed it at some time after that, so the
// worker's fence always falls before the server's.
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

// extend is for a heartbeat that was sent at sentAt and answered well. Late answers set nothing back.
func (f *fence) extend(sentAt time.Time) {
	if at := sentAt.Add(f.validFor); at.After(f.at) {
		f.at = at
	}
}
