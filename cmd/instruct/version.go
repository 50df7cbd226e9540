package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"instruct/model/kernel"
)

// built is the version that the linker sets (make build, make release): the tag, and the commit it was built from.
var built string

// version names the release and the commit that this program was built from, as far as it knows them.
func version() string {
	info, ok := debug.ReadBuildInfo()
	switch {
	case built != "":
		return built
	case !ok:
		return "(devel)"
	case info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version // it names the commit
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "(devel) " + s.Value[:min(12, len(s.Value))]
		}
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
