package train

import _ "embed"

// defaultRecipe is what `instruct train` runs without an argument.
//
//go:embed default.yaml
var defaultRecipe []byte

// Embedded returns the embedded recipe: a small model made from scratch and tuned on the embedded lessons.
func Embedded() (Recipe, error) {
	r := DefaultRecipe()
	_, err := r.ParseYAML("(embedded)", defaultRecipe)
	return r, err
}
