package strictyaml_test

import (
	"fmt"

	"instruct/data/internal/strictyaml"
)

func Example() {
	f := &strictyaml.File{What: "menu", Holds: "dishes", Path: "menu.yaml"}
	root, err := f.Parse([]byte("dishes: [soup, 007]\n"))
	fmt.Println(root, err)
	if root, err = f.Parse([]byte("dishes:\n  - soup\n  - 7\n")); err != nil {
		fmt.Println(err)
		return
	}
	o, err := f.Object(root, "dishes")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = o.Texts("dishes", "a dish")
	fmt.Println(err)
	// Output:
	// <nil> menu menu.yaml:1: put 007 in quotes if it is text, or write the number plainly
	// menu menu.yaml:3: a dish must be text, found a number
}
