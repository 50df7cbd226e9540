package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"instruct/model/kernel"
)

// version is the module's version, or the revision it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (v == "" || v == "(devel)") {
			v = s.Value
		}
	}
	if v == "" {
		v = "(devel)"
	}
	return v
}

func newVersion(s *streams) *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: noArgs, RunE: func(*cobra.Command, []string) error {
		if err := kernel.CheckCPU(); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "instruct %s, %s %s/%s, kernels %s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, kernel.Path())
		return nil
	}}
}
