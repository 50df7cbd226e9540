package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The tests call run, the whole command, in this process. Most use one tiny model: see base.

// TestMain removes what base made. For a command that starts itself again, the test binary is the command.
func TestMain(m *testing.M) {
	if os.Getenv("INSTRUCT_TEST_IS_COMMAND") != "" {
		main()
	}
	os.Unsetenv("INSTRUCT_CPU")
	cache, err := os.MkdirTemp("", "instruct-cache-") // no answer that is kept outside counts, and none stays
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_CACHE_HOME", cache)
	code := m.Run()
	os.RemoveAll(cache)
	if baseDir != "" {
		os.RemoveAll(baseDir)
	}
	os.Exit(code)
}

// outcome is what one command gave.
type outcome struct {
	code     int
	out, err string
}

// call runs a command with text on standard input. The command is split into words; more follow as they are.
func call(t *testing.T, stdin, command string, more ...string) outcome {
	t.Helper()
	return callContext(t, t.Context(), strings.NewReader(stdin), new(trigger), command, more...)
}

func callContext(t *testing.T, ctx context.Context, stdin io.Reader, log *trigger, command string,
	more ...string) outcome {
	t.Helper()
	var out bytes.Buffer
	code := run(ctx, append(strings.Fields(command), more...), stdin, &out, log)
	return outcome{code, out.String(), log.String()}
}

// ok runs a command that must succeed, and returns its standard output.
func ok(t *testing.T, stdin, command string, more ...string) string {
	t.Helper()
	o := call(t, stdin, command, more...)
	if o.code != exitDone {
		t.Fatalf("instruct %s %q: exit %d\n%s", command, more, o.code, o.err)
	}
	return o.out
}

// trigger is a log that calls do, where there is one, once text occurred in it.
type trigger struct {
	bytes.Buffer
	text string
	do   func()
}

func (w *trigger) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if w.do != nil && bytes.Contains(w.Bytes(), []byte(w.text)) {
		do := w.do
		w.do = nil // do may set another
		do()
	}
	return n, err
}

const tinyConfig = `{"model_type": "llama", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
  "num_key_value_heads": 2, "intermediate_size": 48, "max_position_embeddings": 128, "tie_word_embeddings": false}`

var (
	baseDir  string
	makeBase = sync.OnceValue(func() outcome {
		var err error
		if baseDir, err = os.MkdirTemp("", "instruct-e2e-"); err != nil {
			return outcome{code: -1, err: err.Error()}
		}
		var out, log bytes.Buffer
		args := strings.Fields("train --dataset lessons --tokenizer_name bytes --lesson_rows 32 --lesson_held_out 4 " +
			"--max_length 128 --learning_rate 3e-3 --num_train_epochs 1")
		args = append(args, "--model_config", tinyConfig, "--output_dir", filepath.Join(baseDir, "base"))
		code := run(context.Background(), args, nil, &out, &log)
		return outcome{code, out.String(), log.String()}
	})
)

// base returns the folder of a tiny model of 2 layers and width 32, made by a short run of the embedded lessons.
func base(t *testing.T) string {
	t.Helper()
	if o := makeBase(); o.code != exitDone {
		t.Fatalf("making the tiny model: exit %d\n%s", o.code, o.err)
	}
	return filepath.Join(baseDir, "base")
}

// workdir makes an empty working directory with rows.jsonl, and model, a copy of the tiny model.
func workdir(t *testing.T) {
	t.Helper()
	from := base(t)
	t.Chdir(t.TempDir())
	copyModel(t, from, "model")
	write(t, "rows.jsonl", rows(20))
}

// copyModel copies the files of a folder, but not its checkpoints.
func copyModel(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			write(t, filepath.Join(to, e.Name()), read(t, filepath.Join(from, e.Name())))
		}
	}
}

// rows gives n Alpaca rows.
func rows(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"instruction\":\"say %d\",\"input\":\"\",\"output\":\"it is %d\"}\n", i, i)
	}
	return b.String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tree lists every file below dir with its size.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		size := int64(0)
		if info, err := d.Info(); err == nil && !d.IsDir() {
			size = info.Size()
		}
		_, err = fmt.Fprintln(&b, path, size)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// decode reads one JSON value.
func decode[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// lines decodes a JSON value a line.
func lines[T any](t *testing.T, text string) (all []T) {
	t.Helper()
	for line := range strings.Lines(text) {
		all = append(all, decode[T](t, line))
	}
	return all
}

// metrics reads the rows of a run's metrics.jsonl.
func metrics(t *testing.T, dir string) []map[string]float64 {
	t.Helper()
	return lines[map[string]float64](t, read(t, filepath.Join(dir, "metrics.jsonl")))
}

// has checks that text contains every part.
func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in\n%s", p, text)
		}
	}
}

// editSafetensors changes the header or the data of a safetensors file.
func editSafetensors(t *testing.T, path string, edit func(header map[string]any, data []byte)) {
	t.Helper()
	text := []byte(read(t, path))
	n := binary.LittleEndian.Uint64(text)
	header, data := decode[map[string]any](t, string(text[8:8+n])), text[8+n:]
	edit(header, data)
	h, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	for len(h)%8 != 0 {
		h = append(h, ' ')
	}
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(h)))
	write(t, path, string(append(append(out, h...), data...)))
}

// editJSON changes a JSON object in a file.
func editJSON(t *testing.T, path string, edit func(m map[string]any)) {
	t.Helper()
	m := decode[map[string]any](t, read(t, path))
	edit(m)
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(text))
}

func TestInternalErrorShowsNoStack(t *testing.T) {
	t.Setenv("INSTRUCT_DEBUG", "")
	var log bytes.Buffer
	code := run(context.Background(), []string{"version"}, nil, panicWriter{}, &log)
	if code != exitFailed || strings.Contains(log.String(), "goroutine") {
		t.Errorf("exit %d: %s", code, log.String())
	}
	has(t, log.String(), "internal error", "a defect of instruct")
}

type panicWriter struct{}

func (panicWriter) Write([]byte) (int, error) { panic(errors.New("a bug")) }
