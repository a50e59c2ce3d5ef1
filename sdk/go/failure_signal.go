package muster

import (
	"os/exec"
	"syscall"
)

// signalOf returns the number of the signal that ended the process; 0 if none did.
func signalOf(exit *exec.ExitError) int {
	status, ok := exit.Sys().(interface {
		Signaled() bool
		Signal() syscall.Signal
	})
	if !ok || !status.Signaled() {
		return 0
	}
	return int(status.Signal())
}
