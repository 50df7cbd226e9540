package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestServeMistakes: what cannot be served is one message, before a model is loaded.
func TestServeMistakes(t *testing.T) {
	workdir(t)
	t.Setenv("INSTRUCT_API_KEY", "")
	for command, want := range map[string]string{
		"serve":                                       "serve needs --model",
		"serve --model model --addr 8080":             `addr is "8080"; it must be HOST:PORT`,
		"serve --model model --addr :8080":            "so it needs --api_key",
		"serve --model model --addr 192.0.2.1:80":     "so it needs --api_key",
		"serve --model model --max_concurrent 0":      "max_concurrent must be above 0",
		"serve --model model --max_concurrent 1000":   "1000 sequences at one time",
		"serve --model model --timeout 0s":            "timeout must be above 0",
		"serve --model model --policy nowhere.yaml":   "nowhere.yaml",
		"serve --model model --addr 127.0.0.1:999999": "addr 127.0.0.1:999999",
		"serve --model nowhere":                       "nowhere",
		"serve --model model --recipe r.json":         "recipe is for the rounds of a behaviour folder",
		"serve --model model --behaviour model":       "behaviour model is no behaviour folder",
		"serve --model model --runs nowhere":          "runs nowhere: no such file or directory",
		"serve --model model --second nowhere":        "nowhere",
		"serve --model model --suite nowhere.yaml":    "nowhere.yaml",
	} {
		if o := call(t, "", command); o.code != exitMistake || !strings.Contains(o.err, want) {
			t.Errorf("%s: exit %d, %s; want %q", command, o.code, o.err, want)
		}
	}
}

// TestServe: the address is the result, and a signal ends the server.
func TestServe(t *testing.T) {
	workdir(t)
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	var log strings.Builder
	go func() {
		ended <- run(ctx, strings.Fields("serve --model model --addr 127.0.0.1:0 --log_requests"), nil, in, &log)
	}()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post(strings.TrimSpace(url)+"/chat/completions", "application/json",
		strings.NewReader(`{"messages":[{"role":"user","content":"secret"}],"max_tokens":3}`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	has(t, string(text), `"object":"chat.completion"`)
	page, err := http.Get(strings.TrimSuffix(strings.TrimSpace(url), "v1"))
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	if text, err := io.ReadAll(page.Body); err != nil || !strings.Contains(string(text), `<meta name="token"`) {
		t.Errorf("the page is %s, %v", text, err)
	}
	stop()
	if code := <-ended; code != exitDone {
		t.Errorf("exit %d", code)
	}
	has(t, log.String(), `POST "/v1/chat/completions" 200`, "stopped")
	if strings.Contains(log.String(), "secret") {
		t.Errorf("the log has what was asked: %s", log.String())
	}
}
