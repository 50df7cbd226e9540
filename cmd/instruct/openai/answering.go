package openai

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// answering is an answer on its way.
type answering struct {
	http.ResponseWriter
	control *http.ResponseController
	status  int // once it was sent
	stream  bool

	patience time.Duration // for a client that takes nothing
}

// Unwrap is for http.ResponseController.
func (a *answering) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (a *answering) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter; a client that takes nothing for long is left.
func (a *answering) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	_ = a.control.SetWriteDeadline(time.Now().Add(a.patience))
	return a.ResponseWriter.Write(b)
}

// json sends v as the whole answer.
func (a *answering) json(status int, v any) error {
	text, err := encode(v)
	if err != nil {
		return err
	}
	a.Header().Set("Content-Type", "application/json")
	a.WriteHeader(status)
	_, _ = a.Write(text) // a client that has gone misses nothing
	return nil
}

// encode gives one line of JSON.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// event sends v as one event of a stream.
func (a *answering) event(v any) error {
	text, err := encode(v)
	if err != nil {
		return err
	}
	return a.line(string(bytes.TrimSpace(text)))
}

// line sends the data of one event.
func (a *answering) line(data string) error {
	if !a.stream {
		a.stream = true
		a.Header().Set("Content-Type", "text/event-stream")
		a.Header().Set("Cache-Control", "no-cache")
		a.WriteHeader(http.StatusOK)
	}
	if _, err := io.WriteString(a, "data: "+data+"\n\n"); err != nil {
		return err
	}
	return a.control.Flush()
}

// fail sends an error: as the answer, or as the last event of a stream that has begun.
func (a *answering) fail(e *apiError) {
	if a.stream {
		_ = a.event(e)
		return
	}
	if a.status != 0 {
		return
	}
	if e.status >= 500 && e.status != http.StatusServiceUnavailable {
		a.Header().Set("X-Should-Retry", "false") // the same would happen again
	}
	_ = a.json(e.status, e)
}
