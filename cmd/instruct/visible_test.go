package main

import (
	"bytes"
	"fmt"
	"testing"
)

func TestVisible(t *testing.T) {
	var b bytes.Buffer
	n, err := fmt.Fprint(visibleWriter{&b}, "a\x1b[2J\r\u009bx\tü\n")
	if want := "a␛[2J␍\ufffdx\tü\n"; err != nil || n != 13 || b.String() != want {
		t.Errorf("%d, %v: %q, want %q", n, err, b.String(), want)
	}
	if w := shown(&b); w != &b {
		t.Error("what is no terminal gets other bytes")
	}
	workdir(t)
	o := call(t, "", "generate --prompt x --model", "\x1b[31mred")
	mistaken(t, o, "␛[31mred")
}
