package core

import "time"

// alarm is one timer for many due times: it rings at the earliest one asked for, and whoever hears it looks at what is due.
type alarm struct {
	do   func(func())
	ring func()
	// at is the zero time while nothing is asked for.
	at    time.Time
	timer *time.Timer
	// setting tells a timer that was stopped too late from the one that counts.
	setting int
}

// newAlarm makes an alarm that rings by way of do, which takes the lock.
func newAlarm(do func(func()), ring func()) *alarm { return &alarm{do: do, ring: ring} }

// by asks for a ring at the time at the latest.
func (a *alarm) by(at time.Time) {
	if a.at.IsZero() || at.Before(a.at) {
		a.set(at)
	}
}

// set asks for a ring at the time, whatever was asked for before.
func (a *alarm) set(at time.Time) {
	a.cancel()
	a.at = at
	setting := a.setting
	a.timer = time.AfterFunc(time.Until(at), func() {
		a.do(func() {
			if a.setting != setting {
				return
			}
			a.at = time.Time{}
			a.ring()
		})
	})
}

func (a *alarm) cancel() {
	a.setting++
	a.at = time.Time{}
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}
