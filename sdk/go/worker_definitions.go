package muster

import (
	"context"
	"errors"
	"fmt"

	"github.com/muster-jobs/muster/sdk/go/internal/core"
	"github.com/muster-jobs/muster/sdk/go/internal/uuid"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// checkDefinitions returns an error for definitions that can't be those of one worker.
func checkDefinitions(definitions []*pb.JobDefinition, namespace string) error {
	names := map[string]bool{}
	own := orElse(namespace, defaultNamespace)
	for i, definition := range definitions {
		name := definition.GetName()
		if definition == nil {
			return fmt.Errorf("muster: Definitions[%d] is nil", i)
		}
		if names[name] {
			return fmt.Errorf("muster: two Definitions have the name %q", name)
		}
		names[name] = true
		if other := orElse(definition.Namespace, own); other != own {
			return fmt.Errorf("muster: the definition %q is of the namespace %q, the worker's is %q: leave it out", name, other, own)
		}
	}
	return nil
}

// definitionCalls returns the calls that store the worker's definitions. All repeats of a call have the same request
// id.
func (w *Worker) definitionCalls() []core.Definition {
	client := pb.NewJobDefinitionServiceClient(w.connection)
	calls := make([]core.Definition, len(w.options.Definitions))
	for i, definition := range w.options.Definitions {
		request := applyRequest(definition, w.options.Namespace, uuid.New())
		calls[i] = core.Definition{Name: definition.GetName(), Apply: func(ctx context.Context) error {
			_, err := client.ApplyJobDefinition(ctx, request)
			return named(definition.GetName(), err)
		}}
	}
	return calls
}

// named adds the definition's name to the error of a call.
func named(definition string, err error) error {
	var failure *Error
	if errors.As(asError(err), &failure) {
		failure.Message = fmt.Sprintf("the definition %q: %s", definition, failure.Message)
		return failure
	}
	return nil
}
