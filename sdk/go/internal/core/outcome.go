package core

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// Outcome is how an attempt ended: a report in which only the outcome is set.
type Outcome = *workerpb.AttemptReport

// frameBytes is the size of ids, numbers and framing of one report.
const frameBytes = 64

// Result is the outcome of a handler that returned.
func Result(payload *pb.Payload) Outcome {
	return &workerpb.AttemptReport{Outcome: &workerpb.AttemptReport_Result{Result: payload}}
}

// Failure is the outcome of a handler that failed.
func Failure(failure *pb.Failure) Outcome {
	return &workerpb.AttemptReport{Outcome: &workerpb.AttemptReport_Failure{Failure: failure}}
}

// Suspension is the outcome of a handler that stopped on request, or waits for children of its job: their UUIDs, 16
// bytes each.
func Suspension(childIDs [][]byte) Outcome {
	return &workerpb.AttemptReport{Outcome: &workerpb.AttemptReport_Suspended{Suspended: &workerpb.Suspended{ChildJobIds: childIDs}}}
}

func released(reason workerpb.ReleaseReason) Outcome {
	return &workerpb.AttemptReport{Outcome: &workerpb.AttemptReport_Released{Released: &workerpb.Released{Reason: reason}}}
}

func cancelled() Outcome {
	return &workerpb.AttemptReport{Outcome: &workerpb.AttemptReport_Cancelled{Cancelled: &workerpb.Cancelled{}}}
}

func aborted() Outcome {
	return &workerpb.AttemptReport{Outcome: &workerpb.AttemptReport_Aborted{Aborted: &workerpb.Aborted{}}}
}

// bounded replaces a result that the server would refuse with a non-retryable failure. maxPayload 0 means no limit.
func bounded(outcome Outcome, maxPayload int) Outcome {
	size := len(outcome.GetResult().GetData())
	if maxPayload == 0 || size <= maxPayload {
		return outcome
	}
	return Failure(sdkFailure("ResultTooLarge", fmt.Sprintf("the result has %d bytes; the maximum is %d", size, maxPayload)))
}

func runTimeoutFailure() *pb.Failure {
	return &pb.Failure{
		Type:         "RunTimeout",
		Message:      "the handler did not return within its run timeout",
		FailureCause: pb.FailureCause_FAILURE_CAUSE_TIMEOUT,
	}
}

// sdkFailure is a failure detected by the SDK that another attempt would not fix.
func sdkFailure(kind, message string) *pb.Failure {
	return &pb.Failure{
		Type:         kind,
		Message:      message,
		FailureCause: pb.FailureCause_FAILURE_CAUSE_APPLICATION,
		NonRetryable: true,
	}
}

func outcomeBytes(outcome Outcome) int { return frameBytes + proto.Size(outcome) }
