package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// chromium is a page in a Chromium that tests drive by its DevTools protocol. The protocol goes through two pipes, so
// that neither a WebSocket nor chromedriver is needed; a library for it (chromedp) would bring thousands of generated
// types for the dozen messages that are used here.
type chromium struct {
	t       *testing.T
	to      io.WriteCloser
	session string

	mu       sync.Mutex
	next     int
	answers  map[int]chan devtoolsMessage
	errors   []string // that the console showed
	requests []string // addresses
}

type devtoolsMessage struct {
	ID     int             `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// openChromium starts the browser that CHROMIUM names, or one of the path; the test is skipped where there is none.
func openChromium(t *testing.T) *chromium {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); path == "" && err == nil {
			path = found
		}
	}
	if path == "" {
		t.Skip("no browser is here: neither chromium nor google-chrome is in the path, and CHROMIUM names none")
	}
	commands, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, answers, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-extensions", "--disable-background-networking", "--hide-scrollbars",
		"--remote-debugging-pipe", "--user-data-dir="+dir, "about:blank")
	cmd.ExtraFiles = []*os.File{commands, answers} // 3 and 4 of the browser
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	commands.Close()
	answers.Close()
	c := &chromium{t: t, to: to, answers: map[int]chan devtoolsMessage{}}
	read := make(chan struct{})
	go func() {
		defer close(read)
		c.read(from)
	}()
	t.Cleanup(func() {
		c.send("", "Browser.close", nil)
		ended := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		ended.Stop()
		to.Close()
		<-read
		from.Close()
		for range 50 { // its helpers may still write
			if os.RemoveAll(dir) == nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	target := ask[struct{ TargetID string }](c, "Target.createTarget", map[string]any{"url": "about:blank"})
	c.session = ask[struct{ SessionID string }](c, "Target.attachToTarget",
		map[string]any{"targetId": target.TargetID, "flatten": true}).SessionID
	for _, domain := range []string{"Runtime", "Log", "Page", "Network"} {
		c.do(domain+".enable", nil)
	}
	return c
}

// read takes what the browser says: answers, and events that the test looks at.
func (c *chromium) read(from io.Reader) {
	r := bufio.NewReaderSize(from, 1<<20)
	for {
		text, err := r.ReadBytes(0)
		if err != nil {
			break
		}
		var m devtoolsMessage
		if json.Unmarshal(text[:len(text)-1], &m) != nil {
			continue
		}
		c.mu.Lock()
		switch m.Method {
		case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
			c.errors = append(c.errors, m.Method+" "+string(m.Params))
		case "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			_ = json.Unmarshal(m.Params, &p)
			c.requests = append(c.requests, p.Request.URL)
		}
		if answer := c.answers[m.ID]; m.ID > 0 && answer != nil {
			answer <- m
			delete(c.answers, m.ID)
		}
		c.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, answer := range c.answers {
		close(answer)
	}
}

func (c *chromium) send(session, method string, params any) chan devtoolsMessage {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	answer := make(chan devtoolsMessage, 1)
	c.answers[c.next] = answer
	text, err := json.Marshal(struct {
		ID      int    `json:"id"`
		Method  string `json:"method"`
		Params  any    `json:"params,omitempty"`
		Session string `json:"sessionId,omitempty"`
	}{c.next, method, params, session})
	if err != nil {
		c.t.Error(err)
	}
	_, _ = c.to.Write(append(text, 0)) // a browser that has gone does not answer
	return answer
}

// do sends a command and gives its result.
func (c *chromium) do(method string, params any) json.RawMessage {
	c.t.Helper()
	select {
	case m := <-c.send(c.session, method, params):
		if m.Error != nil {
			c.t.Fatalf("%s %v: %s", method, params, m.Error.Message)
		}
		return m.Result
	case <-time.After(time.Minute):
		c.t.Fatalf("%s %v: the browser does not answer", method, params)
	}
	return nil
}

func ask[T any](c *chromium, method string, params any) (v T) {
	c.t.Helper()
	if err := json.Unmarshal(c.do(method, params), &v); err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	return v
}

// eval gives the value of an expression of JavaScript as JSON; text without its quotes.
func (c *chromium) eval(expression string) string {
	c.t.Helper()
	got := ask[struct {
		Result    struct{ Value json.RawMessage }
		Exception json.RawMessage `json:"exceptionDetails"`
	}](c, "Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true})
	if got.Exception != nil {
		c.t.Fatalf("%s: %s", expression, got.Exception)
	}
	var text string
	if json.Unmarshal(got.Result.Value, &text) == nil {
		return text
	}
	return string(got.Result.Value)
}

// until waits for an expression to be true.
func (c *chromium) until(expression string) {
	c.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c.eval("!!("+expression+")") == "true" {
			return
		}
	}
	c.t.Fatalf("never came true: %s\nthe page says\n%s\n%s", expression, c.eval("document.body.innerText"),
		strings.Join(c.errors, "\n"))
}

// says waits for text on the page.
func (c *chromium) says(text string) {
	c.t.Helper()
	c.until(fmt.Sprintf("document.body.innerText.includes(%q)", text))
}

// pressed are the keys that tests press; a text is what the key writes.
var pressed = map[string]struct {
	code int
	text string
}{"Tab": {9, ""}, "Enter": {13, "\r"}, " ": {32, " "}, "Escape": {27, ""}, "ArrowRight": {39, ""}, "End": {35, ""}}

// press presses a key, with shift where the name begins so.
func (c *chromium) press(names ...string) {
	c.t.Helper()
	for _, name := range names {
		key, shift := strings.CutPrefix(name, "Shift+")
		p := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": pressed[key].code,
			"text": pressed[key].text}
		if shift {
			p["modifiers"] = 8
		}
		down := c.send(c.session, "Input.dispatchKeyEvent", p)
		p["type"], p["text"] = "keyUp", ""
		c.do("Input.dispatchKeyEvent", p)
		<-down
	}
}

// write writes text where the focus is.
func (c *chromium) write(text string) {
	c.t.Helper()
	c.do("Input.insertText", map[string]any{"text": text})
}

// tabTo goes with the tabulator to the first thing that shows the text, or has it as its label.
func (c *chromium) tabTo(text string) {
	c.t.Helper()
	for range 80 {
		c.press("Tab")
		name := c.eval("(a => a === document.body ? '' : a.getAttribute('aria-label') || a.labels?.[0]?.innerText || " +
			"a.innerText || '')(document.activeElement)")
		if strings.Contains(name, text) {
			return
		}
	}
	c.t.Fatalf("the tabulator never comes to %q; the page says\n%s", text, c.eval("document.body.innerText"))
}

// look sets the size of the window and light or dark, and keeps a picture where INSTRUCT_PICTURES names a folder.
func (c *chromium) look(name string, width, height int, scheme string) {
	c.t.Helper()
	c.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1,
		"mobile": false})
	c.do("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]string{"name": "prefers-color-scheme",
		"value": scheme}}})
	if c.eval("document.documentElement.scrollWidth > innerWidth") == "true" {
		c.t.Errorf("%s: at %d pixels the page is %s wide", name, width, c.eval("document.documentElement.scrollWidth"))
	}
	dir := os.Getenv("INSTRUCT_PICTURES")
	if dir == "" {
		return
	}
	time.Sleep(300 * time.Millisecond) // charts follow the size, frames load
	picture := ask[struct{ Data []byte }](c, "Page.captureScreenshot", map[string]any{"captureBeyondViewport": true})
	write(c.t, filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), string(picture.Data))
}
