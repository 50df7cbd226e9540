package openai

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestPage: a page answers what is not of the API, to those who may ask; a browser gives the key in its own form.
func TestPage(t *testing.T) {
	s := newServer(t, func(o *Options) {
		o.Key = "secret"
		o.Page = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	})
	for _, x := range []struct {
		password, path string
		status         int
	}{
		{"", "/", http.StatusUnauthorized},
		{"wrong", "/api/page", http.StatusUnauthorized},
		{"secret", "/", http.StatusTeapot},
		{"secret", "/api/page", http.StatusTeapot},
		{"secret", "/v1/models", http.StatusOK},
		{"secret", "/v1/completions", http.StatusMethodNotAllowed},
	} {
		r := httptest.NewRequest(http.MethodGet, x.path, nil)
		r.Host = "localhost:80"
		if x.password != "" {
			r.SetBasicAuth("anybody", x.password)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		asked := w.Header().Get("WWW-Authenticate") != ""
		if w.Code != x.status || asked != (x.status == http.StatusUnauthorized) {
			t.Errorf("%s with %q: %d, asks for the key: %v; want %d", x.path, x.password, w.Code, asked, x.status)
		}
	}
}
