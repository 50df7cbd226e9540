package kernel

import (
	"errors"
	"slices"
	"testing"
)

func TestCheckCPU(t *testing.T) {
	tests := []struct {
		env string
		ok  bool
	}{{"", true}, {"generic", true}, {"avx2", slices.Contains(paths(), avx2)},
		{"avx512", slices.Contains(paths(), avx512)}, {"sse9", false}}
	for _, tt := range tests {
		err := checkCPU(tt.env)
		if (err == nil) != tt.ok {
			t.Errorf("INSTRUCT_CPU=%q: %v", tt.env, err)
		}
		var u interface{ UserError() bool }
		if err != nil && (!errors.As(err, &u) || !u.UserError()) {
			t.Errorf("INSTRUCT_CPU=%q: %v is no user error", tt.env, err)
		}
	}
	if choosePath("generic") != generic {
		t.Error("generic does not force the generic path")
	}
	if choosePath("") != paths()[len(paths())-1] {
		t.Error("the default is not the best path")
	}
}
