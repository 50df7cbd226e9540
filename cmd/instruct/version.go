package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"instruct/model/kernel"
)

// version is the module's version, which names the revision it was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func newVersion(s *streams) *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := kernel.CheckCPU(); err != nil {
				return err
			}
			platform := runtime.GOOS + "/" + runtime.GOARCH
			fmt.Fprintf(s.out, "instruct %s, %s %s, kernels %s\n", version(), runtime.Version(), platform, kernel.Path())
			return nil
		}}
}
