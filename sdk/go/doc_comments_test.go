package muster_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocComments checks that every exported name has a doc comment. Comments of generated code come from the contract.
func TestDocComments(t *testing.T) {
	for _, folder := range []string{".", "mustertest"} {
		names, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		positions := token.NewFileSet()
		var files []*ast.File
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(positions, name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		described, err := doc.NewFromFiles(positions, files, "github.com/muster-jobs/muster/sdk/go/"+folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range undocumented(described) {
			t.Errorf("%s: %s has no doc comment", folder, name)
		}
	}
}

// errorMethods are the methods that package errors calls; they need no explanation.
var errorMethods = map[string]bool{"Error": true, "Is": true, "Unwrap": true}

// undocumented returns the exported names of a package without a doc comment.
func undocumented(described *doc.Package) []string {
	var names []string
	look := func(name, comment string) {
		if strings.TrimSpace(comment) == "" {
			names = append(names, name)
		}
	}
	values := func(all []*doc.Value) {
		for _, value := range all {
			for _, spec := range value.Decl.Specs {
				// A comment may stand above the group, above the name or after it.
				one := spec.(*ast.ValueSpec)
				look(one.Names[0].Name, value.Doc+one.Doc.Text()+one.Comment.Text())
			}
		}
	}
	functions := func(all []*doc.Func) {
		for _, function := range all {
			if !errorMethods[function.Name] {
				look(function.Recv+" "+function.Name, function.Doc)
			}
		}
	}
	look("package "+described.Name, described.Doc)
	values(described.Consts)
	values(described.Vars)
	functions(described.Funcs)
	for _, kind := range described.Types {
		look(kind.Name, kind.Doc)
		values(kind.Consts)
		values(kind.Vars)
		functions(kind.Funcs)
		functions(kind.Methods)
	}
	return names
}
