package coach

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/data"
	"instruct/model/pretrained"
	"instruct/train/record"
)

// behaviourOf makes a behaviour folder with rounds of the given verdicts, each of the current one.
func behaviourOf(t *testing.T, verdicts ...string) string {
	t.Helper()
	m, _ := tiny(t)
	folder := filepath.Join(t.TempDir(), "b")
	if err := pretrained.Begin(folder, pretrained.Base{Model: "base", Weights: m.WeightsHash()}); err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		n, err := pretrained.Current(folder)
		if err != nil {
			t.Fatal(err)
		}
		r := Round{Parent: n, Verdict: v, Reason: map[string]string{Rejected: "it is worse"}[v]}
		if err := r.Save(folder, m, []data.Correction{lesson().New[0]}); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// cutLedger leaves the first lines of a ledger.
func cutLedger(t *testing.T, folder string, lines int) {
	t.Helper()
	path := filepath.Join(folder, record.File)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.SplitAfter(string(text), "\n")
	if err := os.WriteFile(path, []byte(strings.Join(all[:lines], "")), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestMend makes what a kill leaves at every point of [Round.Save].
func TestMend(t *testing.T) {
	for _, c := range []struct {
		name     string
		verdicts []string
		before   func(t *testing.T, folder string)
		want     []string // verdicts of the ledger
		said     int
	}{
		{"nothing", []string{Accepted, Rejected}, func(*testing.T, string) {}, []string{Accepted, Rejected}, 0},
		{"while the folder is written", []string{Accepted}, func(t *testing.T, folder string) {
			for _, path := range []string{".current.tmp-a1", "rounds/.002.tmp-b2/model", "kept/.c.gob.tmp-1"} {
				path = filepath.Join(folder, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte("half"), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}, []string{Accepted}, 0},
		{"before it is current", []string{Accepted, Accepted}, func(t *testing.T, folder string) {
			cutLedger(t, folder, 1)
			if err := pretrained.SetCurrent(folder, 1); err != nil {
				t.Fatal(err)
			}
		}, []string{Accepted, Interrupted}, 1},
		{"before the line", []string{Accepted, Accepted}, func(t *testing.T, folder string) { cutLedger(t, folder, 1) },
			[]string{Accepted, Accepted}, 1},
		{"when it was rejected", []string{Rejected}, func(t *testing.T, folder string) { cutLedger(t, folder, 0) },
			[]string{Rejected}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := behaviourOf(t, c.verdicts...)
			c.before(t, folder)
			current, err := pretrained.Current(folder)
			if err != nil {
				t.Fatal(err)
			}
			for again := range 2 {
				said, err := Mend(folder)
				if err != nil || again == 0 && len(said) != c.said || again == 1 && len(said) != 0 {
					t.Errorf("time %d: %q, %v", again, said, err)
				}
			}
			ledger, err := Ledger(folder)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, r := range ledger {
				got = append(got, r.Verdict)
				if r.Round != i+1 {
					t.Errorf("line %d is round %d's", i, r.Round)
				}
			}
			if strings.Join(got, ", ") != strings.Join(c.want, ", ") {
				t.Errorf("the ledger has %q, want %q", got, c.want)
			}
			if n, err := pretrained.Current(folder); n != current || err != nil {
				t.Errorf("the current round was %d and is %d, %v", current, n, err)
			}
			for _, pattern := range []string{".*.tmp-*", "*/.*.tmp-*"} {
				if left, _ := filepath.Glob(filepath.Join(folder, pattern)); len(left) > 0 {
					t.Errorf("%v are still there", left)
				}
			}
		})
	}
}

// TestRollBackToRejected: a round that was not accepted becomes current by force only.
func TestRollBackToRejected(t *testing.T) {
	folder := behaviourOf(t, Accepted, Rejected)
	err := RollBack(folder, 2, false, "me", "now")
	if err == nil || !strings.Contains(err.Error(), "round 2 was not accepted: rejected, it is worse; --force") {
		t.Errorf("%v", err)
	}
	if n, err := pretrained.Current(folder); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if err := RollBack(folder, 2, true, "me", "now"); err != nil {
		t.Error(err)
	}
	if n, err := pretrained.Current(folder); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if err := RollBack(folder, 1, false, "me", "now"); err != nil {
		t.Error(err)
	}
}

// TestDamagedLedger: a line that is none is named.
func TestDamagedLedger(t *testing.T) {
	folder := behaviourOf(t, Accepted)
	f, err := os.OpenFile(filepath.Join(folder, record.File), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(`{"round":2,"par`)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := Ledger(folder); err == nil || !strings.Contains(err.Error(), "ledger.jsonl:2") {
		t.Errorf("%v", err)
	}
}
