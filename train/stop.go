package train

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// logWriter lets the loop and the answer to a signal write to one log.
type logWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *logWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// answerStop says at once, when the signal comes, what happens before the run stops. The function that it gives waits
// until that is said.
func (u *run) answerStop(ctx context.Context) (said func()) {
	line := ""
	if u.o.Terminal && !u.o.Quiet {
		line = "\n" // below the progress bar
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		fmt.Fprintf(u.said, "%sstopping: the step at hand is finished and saved first; "+
			"Ctrl-C once more stops now and saves nothing\n", line)
		close(done)
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// goOn is the command that goes on with the run.
func (o *Options) goOn() string {
	if o.Again != "" {
		return o.Again
	}
	return "the same command and --resume_from_checkpoint true"
}

// Finished tells whether a folder holds a run that was made to its end.
func Finished(dir string) bool {
	var m struct {
		Finished string `json:"finished"`
	}
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	return err == nil && json.Unmarshal(text, &m) == nil && m.Finished != ""
}
