package muster

import (
	"strings"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// StateName returns the short name of the state, such as "SUCCEEDED".
func StateName(state pb.JobState) string {
	return strings.TrimPrefix(state.String(), "JOB_STATE_")
}

// HasEnded reports whether the state is terminal: SUCCEEDED, FAILED, CANCELLED, EXPIRED or SKIPPED.
func HasEnded(state pb.JobState) bool {
	switch state {
	case pb.JobState_JOB_STATE_SUCCEEDED, pb.JobState_JOB_STATE_FAILED, pb.JobState_JOB_STATE_CANCELLED,
		pb.JobState_JOB_STATE_EXPIRED, pb.JobState_JOB_STATE_SKIPPED:
		return true
	default:
		return false
	}
}
