package mustertest_test

import (
	"context"
	"fmt"

	"github.com/muster-jobs/muster/sdk/go"
	"github.com/muster-jobs/muster/sdk/go/mustertest"
)

// resize is a handler as a worker would register it.
func resize(ctx context.Context, width int) (string, error) {
	job := muster.JobFrom(ctx)
	job.Progress(0.5, "half way")
	if width > 1_000 {
		return "", muster.NonRetryable(fmt.Errorf("%d is too wide", width))
	}
	return fmt.Sprintf("%d wide", width), nil
}

func Example() {
	well := mustertest.Run(context.Background(), resize, 200)
	fmt.Println(well.Result, well.Progress[0].Message)

	badly := mustertest.Run(context.Background(), resize, 2_000)
	fmt.Println(badly.Failure.Message, badly.Failure.NonRetryable)
	// Output:
	// 200 wide half way
	// 2000 is too wide true
}
