package tokenizer_test

import (
	"fmt"

	"instruct/tokenizer"
)

func Example() {
	tok := tokenizer.Bytes("<|im_end|>")
	text := "Grüße<|im_end|>"
	for _, t := range tok.Append(nil, text, false) {
		fmt.Printf("%d %q\n", t.ID, text[t.Start:t.End])
	}

	// A stream gives text as soon as it is whole.
	s := tok.NewStream(true)
	for _, id := range tok.Encode(text, false) {
		fmt.Printf("%q ", s.Push(id))
	}
	fmt.Printf("%q\n", s.Flush())
	// Output:
	// 71 "G"
	// 114 "r"
	// 195 "\xc3"
	// 188 "\xbc"
	// 195 "\xc3"
	// 159 "\x9f"
	// 101 "e"
	// 256 "<|im_end|>"
	// "G" "r" "" "ü" "" "ß" "e" "" ""
}
