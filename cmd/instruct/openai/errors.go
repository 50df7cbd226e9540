package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// apiError is an error in OpenAI's form.
type apiError struct {
	status  int
	kind    string // OpenAI's "type"
	code    string
	param   string // the field of the request, if it is one's fault
	message string
}

func (e *apiError) Error() string { return e.message }

// statusGone is nginx's number for a client that did not wait for its answer; only metrics and the log show it.
const statusGone = 499

// Types of errors, as OpenAI names them.
const (
	kindInvalid = "invalid_request_error"
	kindServer  = "server_error"
)

// invalid is a mistake in a field of the request.
func invalid(param, format string, args ...any) *apiError {
	return &apiError{http.StatusBadRequest, kindInvalid, "invalid_value", param, fmt.Sprintf(format, args...)}
}

// refused is a request that is refused before it is read.
func refused(status int, code, format string, args ...any) *apiError {
	return &apiError{status, kindInvalid, code, "", fmt.Sprintf(format, args...)}
}

// failed is a request that could not be answered, though it was right.
func failed(status int, code, format string, args ...any) *apiError {
	return &apiError{status, kindServer, code, "", fmt.Sprintf(format, args...)}
}

// asAPIError gives any error OpenAI's form: a mistake of the user is the request's, anything else the server's.
func asAPIError(err error) *apiError {
	var api *apiError
	if errors.As(err, &api) {
		return api
	}
	if errors.Is(err, context.Canceled) {
		return failed(statusGone, "cancelled", "the client has gone") // nobody reads this
	}
	var user interface{ UserError() bool }
	if errors.As(err, &user) && user.UserError() {
		return invalid("", "%v", err)
	}
	return failed(http.StatusInternalServerError, "internal_error", "%v", err)
}

// MarshalJSON implements json.Marshaler.
func (e *apiError) MarshalJSON() ([]byte, error) {
	type body struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	}
	b := body{Message: e.message, Type: e.kind, Code: e.code}
	if e.param != "" {
		b.Param = &e.param
	}
	return json.Marshal(struct {
		Error body `json:"error"`
	}{b})
}
