package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
)

// userError is a mistake in what the user gave; the command line exits with 2.
type userError struct{ error }

func (userError) UserError() bool { return true }

func mistake(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }

// reasonOf is why a file cannot be had, without its path.
func reasonOf(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// statusError is an error with its HTTP status.
type statusError struct {
	status  int
	message string
}

func (e *statusError) Error() string { return e.message }

func failed(status int, format string, args ...any) error {
	return &statusError{status, fmt.Sprintf(format, args...)}
}

// reply sends v as JSON.
func reply(w http.ResponseWriter, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(text, '\n')) // a client that has gone misses nothing
	return nil
}

// fail sends an error in the form that the API beside the page has.
func fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var known *statusError
	var user interface{ UserError() bool }
	switch {
	case errors.As(err, &known):
		status = known.status
	case errors.As(err, &user) && user.UserError():
		status = http.StatusBadRequest
	}
	text, _ := json.Marshal(map[string]map[string]string{"error": {"message": err.Error()}})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// maxBody is the most bytes of a request to the page's own API.
const maxBody = 1 << 20

// read reads the JSON of a request, of which every key is known.
func read(w http.ResponseWriter, r *http.Request, v any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil && d.More() {
		err = errors.New("more than one value")
	}
	if err != nil {
		return failed(http.StatusBadRequest, "the request cannot be read: %v", err)
	}
	return nil
}
