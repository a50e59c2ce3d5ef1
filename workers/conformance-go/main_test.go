package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc"

	"github.com/muster-jobs/muster/sdk/go"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// TestMain runs the worker itself if a test has started this process as one.
func TestMain(m *testing.M) {
	if os.Getenv("CONFORMANCE_TEST_WORKER") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// startProcess runs the worker as a separate process. It is killed if the test leaves it behind.
func startProcess(t *testing.T, environment ...string) (*exec.Cmd, io.Reader) {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), append(environment, "CONFORMANCE_TEST_WORKER=1")...)
	said, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	return command, said
}

func TestWorkerThatIsRefusedExitsWithOne(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	command, stderr := startProcess(t, "MUSTER_ADDRESS="+listener.Addr().String())
	said, _ := io.ReadAll(stderr)
	var exit *exec.ExitError
	if err := command.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(said), "Unimplemented") {
		t.Errorf("%v: %s", err, said)
	}
	server.Stop()
	<-served
}

func TestWorkerWithBadSlotsExitsWithOne(t *testing.T) {
	command, stderr := startProcess(t, "MUSTER_SLOTS=many")
	said, _ := io.ReadAll(stderr)
	var exit *exec.ExitError
	if err := command.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(said), "MUSTER_SLOTS") {
		t.Errorf("%v: %s", err, said)
	}
}

func TestWorkerThatIsSignalledToStopExitsWithZero(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		// Nothing listens there: the worker reports it and tries again.
		command, stderr := startProcess(t, "MUSTER_ADDRESS=127.0.0.1:1")
		if line, err := bufio.NewReader(stderr).ReadString('\n'); err != nil {
			t.Fatalf("%s, %v", line, err)
		}
		if err := command.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, stderr) // until it ends
		if err := command.Wait(); err != nil {
			t.Errorf("%v: %v", signal, err)
		}
	}
}

func TestWorkerRunsScripts(t *testing.T) {
	address := os.Getenv("MUSTER_TEST_ADDRESS")
	if address == "" {
		t.Skip("MUSTER_TEST_ADDRESS names no control plane")
	}
	command, stderr := startProcess(t, "MUSTER_ADDRESS="+address)
	client, err := muster.NewClient(muster.ClientOptions{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, name := range []string{"echo", "script"} {
		if _, err := client.ApplyDefinition(t.Context(), &pb.JobDefinition{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	echoed, err := client.Submit(t.Context(), "echo", muster.NewPayload([]byte{1, 255}, "image/x"))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := muster.Result[*pb.Payload](t.Context(), client, echoed.JobID)
	if err != nil || string(payload.Data) != "\x01\xff" || payload.ContentType != "image/x" {
		t.Errorf("%v, %v", payload, err)
	}
	child := step{Do: "child", Definition: "script", Input: []byte(`{"steps":[{"do":"return","value":7}]}`), Key: "k"}
	parent, err := client.Submit(t.Context(), "script", script{Steps: []step{child, {Do: "wait_children"}, {Do: "return_children"}}})
	if err != nil {
		t.Fatal(err)
	}
	results, err := muster.Result[[]int](t.Context(), client, parent.JobID)
	if err != nil || len(results) != 1 || results[0] != 7 {
		t.Errorf("%v, %v", results, err)
	}
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, stderr) // until it ends
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
}
