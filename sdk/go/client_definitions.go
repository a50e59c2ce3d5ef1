package muster

import (
	"context"

	"google.golang.org/protobuf/proto"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// ApplyDefinition stores a definition, or a new version of it if it differs from the newest one, and reports which. A
// definition without a body is a task for the handler of the same name. A definition without a namespace gets that of
// the client.
//
// Errors: *[Error] InvalidArgument, NotFound, FailedPrecondition as documented at ApplyJobDefinition.
func (c *Client) ApplyDefinition(ctx context.Context, definition *pb.JobDefinition, options ...CallOption) (*pb.ApplyJobDefinitionResponse, error) {
	request := applyRequest(definition, c.namespace, requestIDOf(options))
	return invoke(ctx, c, func(ctx context.Context) (*pb.ApplyJobDefinitionResponse, error) {
		return c.definitions.ApplyJobDefinition(ctx, request)
	})
}

func applyRequest(definition *pb.JobDefinition, namespace, requestID string) *pb.ApplyJobDefinitionRequest {
	said := proto.CloneOf(definition)
	if said == nil {
		said = &pb.JobDefinition{}
	}
	said.Namespace = orElse(said.Namespace, namespace)
	if said.Body == nil {
		said.Body = &pb.JobDefinition_Task{Task: &pb.TaskBody{}}
	}
	return &pb.ApplyJobDefinitionRequest{Definition: said, RequestId: requestID}
}
