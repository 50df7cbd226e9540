package record_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"instruct/train/record"
)

// A folder with a ledger of two entries; then a byte is changed.
func Example() {
	dir, err := os.MkdirTemp("", "record-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for _, text := range []string{"one", "two"} {
		if err := os.WriteFile(filepath.Join(dir, "weights"), []byte(text), 0o666); err != nil {
			fmt.Println(err)
		}
		now, _ := record.Hashes(dir, "weights")
		files, _ := record.Changed(dir, now)
		said := map[string]string{"time": "2026-01-01T00:00:00Z", "author": "me"}
		if err := record.Append(dir, "train", said, files); err != nil {
			fmt.Println(err)
		}
	}
	audit, _ := record.Verify(context.Background(), dir, record.AuditOptions{})
	fmt.Println(audit.Entries, "entries,", audit.Files, "file, as recorded:", audit.Holds)

	if err := os.WriteFile(filepath.Join(dir, "weights"), []byte("twp"), 0o666); err != nil {
		fmt.Println(err)
	}
	audit, _ = record.Verify(context.Background(), dir, record.AuditOptions{})
	for _, c := range audit.Checks {
		if !c.Holds {
			fmt.Println(c.Name, "differs from entry", c.Entry)
		}
	}
	// Output:
	// 2 entries, 1 file, as recorded: true
	// weights differs from entry 2
}
