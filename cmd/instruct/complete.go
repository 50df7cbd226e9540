package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"instruct/data"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
	"instruct/train/attribute"
	"instruct/train/bench"
	"instruct/train/recipe"
)

// choices are the values of a command's flag that has a closed set of them, for completion.
func choices(c *cobra.Command, flag string) []string {
	if c.Name() == "train" && recipe.Choices(flag) != nil {
		return recipe.Choices(flag)
	}
	switch flag {
	case "type":
		return pretrained.GGUFTypes()
	case "dtype":
		if c.Name() == "export" {
			return pretrained.FolderTypes()
		}
		return kernel.DTypes()
	case "chat_template":
		return chat.Builtins()
	case "format":
		return data.Formats()
	case "to":
		if c.Name() == "convert" {
			return data.Conversions()
		}
		return exportNames()
	case "method":
		return attribute.Methods()
	case "preset":
		return bench.Presets()
	}
	return nil
}

// complete lets the shell offer the values of flags that have a closed set of them.
func complete(c *cobra.Command) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		values := choices(c, f.Name)
		if values == nil {
			return
		}
		directive := cobra.ShellCompDirectiveNoFileComp
		if f.Name == "chat_template" { // a file too
			directive = cobra.ShellCompDirectiveDefault
		}
		offer := cobra.FixedCompletions(values, directive)
		if err := c.RegisterFlagCompletionFunc(f.Name, offer); err != nil {
			panic(err) // of a flag that is not there
		}
	})
	for _, sub := range c.Commands() {
		complete(sub)
	}
}
