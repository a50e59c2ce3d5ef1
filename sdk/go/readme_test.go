package muster_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestREADME compiles every program of the README, and with a control plane runs those that are followed by their
// output.
func TestREADME(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	programs := regexp.MustCompile("(?s)```go\n(package .*?)```(?:\n\n```text\n(.*?)```)?").FindAllSubmatch(page, -1)
	if len(programs) < 2 {
		t.Fatalf("the README has %d programs", len(programs))
	}
	address := os.Getenv("MUSTER_TEST_ADDRESS")
	for i, program := range programs {
		t.Run(fmt.Sprint("program ", i+1), func(t *testing.T) {
			source, want := string(program[1]), string(program[2])
			name := filepath.Join(t.TempDir(), "main.go")
			command := []string{"vet", name}
			switch {
			case strings.Contains(source, "testing.T"):
				name = strings.Replace(name, "main.go", "main_test.go", 1)
				command = []string{"test", name}
			case want != "" && address != "":
				source = strings.ReplaceAll(source, "127.0.0.1:7070", address)
				command = []string{"run", name}
			}
			if err := os.WriteFile(name, []byte(source), 0o600); err != nil {
				t.Fatal(err)
			}
			run := exec.CommandContext(t.Context(), "go", command...)
			var faults strings.Builder
			run.Stderr = &faults
			printed, err := run.Output()
			if err != nil {
				t.Fatalf("%v\n%s%s", err, printed, faults.String())
			}
			if command[0] == "run" && string(printed) != want {
				t.Fatalf("it printed\n%s\nand not\n%s", printed, want)
			}
		})
	}
}
