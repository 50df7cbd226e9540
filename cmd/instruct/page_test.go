package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// serving starts the server and gives its address; the server ends with the test.
func serving(t *testing.T, command string) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	var log strings.Builder
	go func() {
		code := run(ctx, append([]string{"serve", "--addr", "127.0.0.1:0"}, strings.Fields(command)...), nil, in, &log)
		in.Close()
		ended <- code
	}()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != exitDone {
			t.Errorf("serve: exit %d\n%s", code, log.String())
		}
	})
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	return strings.TrimSuffix(strings.TrimSpace(url), "/v1")
}

// metricRows are rows of steps from one to another.
func metricRows(from, to int) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, `{"step":%d,"loss":%g,"grad_norm":%g,"learning_rate":%g}`+"\n", i, 3/float64(i)+0.1*float64(i%3),
			1+0.2*float64(i%5), 1e-3/float64(i))
	}
	fmt.Fprintf(&b, `{"step":%d,"eval_loss":%g}`+"\n", to, 3.5/float64(to))
	return b.String()
}

// TestPageInChromium goes through the page as a person does who has a keyboard and no mouse: chat with two models, why,
// the rows behind an answer, correct, undo, a round, its report, curves that grow, a suite. Every part is looked at in
// a narrow and a wide window.
func TestPageInChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("not in the short form: it drives a browser")
	}
	workdir(t)
	write(t, "brief.json", `{"learning_rate": 0.01, "steps": 20, "kept_rows": 2, "kept_tokens": 2}`)
	write(t, "manners.yaml", `prompts: ["{{q}}"]`+"\ntests:\n"+
		"  - vars: {q: hello}\n    assert: [{type: equals, value: yes}]\n"+
		"  - vars: {q: <b>bold</b>}\n    assert: [{type: not-equals, value: never said}]\n")
	write(t, "policy.yaml", "rules:\n  - id: no-shouting\n    text: Never shout.\n    severity: warn\n"+
		"    assert: [{type: not-contains, value: '!!'}]\n")
	if err := os.MkdirAll("runs/live", 0o755); err != nil {
		t.Fatal(err)
	}
	copyModel(t, "model", "runs/lessons")
	write(t, "runs/live/metrics.jsonl", metricRows(1, 30))
	c := openChromium(t)
	url := serving(t, "--model model --second runs/lessons --behaviour shop --runs runs --suite manners.yaml "+
		"--policy policy.yaml --corrections c.jsonl --recipe brief.json --max_new_tokens 6")
	c.do("Page.navigate", map[string]any{"url": url + "/"})
	c.until("document.activeElement?.tagName === 'TEXTAREA'")
	c.chat()
	c.round()
	c.again()
	c.curves()
	c.suite()
	for _, e := range c.errors {
		t.Errorf("the console says %s", e)
	}
	for _, r := range c.requests {
		if !strings.HasPrefix(r, url+"/") && !strings.HasPrefix(r, "about:") {
			t.Errorf("the page asked for %s", r)
		}
	}
}

// pictures looks at the page in a narrow window and, where pictures are kept, in a wide one and in the dark.
func (c *chromium) pictures(name string) {
	c.t.Helper()
	if os.Getenv("INSTRUCT_PICTURES") != "" {
		c.look(name, 1280, 900, "light")
		c.look(name, 1280, 900, "dark")
		c.look(name, 400, 800, "dark")
	}
	c.look(name, 400, 800, "light")
}

// chat asks, looks at why, corrects, takes it back and corrects again.
func (c *chromium) chat() {
	c.t.Helper()
	c.write("hello")
	c.press("Enter")
	c.says("The answer is there.")
	c.until("document.querySelectorAll('.answer').length === 2")
	c.tabTo("Why?")
	c.press("Enter", "Tab", "ArrowRight")
	c.says("It had these in mind")
	c.tabTo("Which rows taught it?")
	c.press("Enter")
	c.says("The search for rows has ended")
	c.tabTo("Show the report")
	c.press("Enter")
	c.until("document.querySelector('iframe')")
	has(c.t, c.eval("fetch('/api/rows/1/report').then((r) => r.text())"), "hello", "rows")
	c.pictures("why")
	c.press("Enter")
	c.tabTo("Edit and note") // of the second answer
	c.tabTo("Edit and note")
	c.press("Enter")
	c.correct("yes <b>", "short")
	if got := corrections(c.t, "c.jsonl"); got[0].Chosen[0].Content != "yes <b>" || got[0].Note != "short" ||
		got[0].Prompt[0].Content != "hello" || got[0].Model == "" {
		c.t.Errorf("%+v", got)
	}
	c.tabTo("Undo the correction")
	c.press("Enter")
	c.until("!document.body.innerText.includes('should have said')")
	if got := corrections(c.t, "c.jsonl"); len(got) != 0 {
		c.t.Errorf("%+v is not taken back", got)
	}
	c.press("Enter") // the focus is on Edit
	c.correct("yes", "short")
	c.pictures("chat")
}

// correct fills the form of a correction, in which the focus is.
func (c *chromium) correct(wanted, note string) {
	c.t.Helper()
	c.until("document.activeElement.closest('.correct')")
	c.eval("document.activeElement.select()")
	c.write(wanted)
	c.press("Tab")
	c.write(note)
	c.tabTo("Save the correction")
	c.press("Enter")
	c.says("In c.jsonl, for the next round.")
}

// round teaches the correction, and opens the report.
func (c *chromium) round() {
	c.t.Helper()
	c.tabTo("Rounds")
	c.press("Enter")
	c.says("1 correction waits to be taught")
	c.tabTo("Start a round")
	c.press("Enter")
	c.says("The round is at work")
	c.says("The round has ended")
	c.says("Round 1 accepted · the current one")
	c.says("No corrections wait")
	c.tabTo("Round 1")
	c.press("Enter")
	c.tabTo("Show the report")
	c.press("Enter")
	c.until("document.querySelector('iframe')")
	has(c.t, c.eval("fetch('/api/rounds/1/report').then((r) => r.text())"), "Round 1 of shop is", ">accepted<")
	c.pictures("rounds")
	c.press("Enter") // what is typed into a frame of its own may not come back
	c.until("!document.querySelector('iframe')")
}

// again asks the model of the round in the chat.
func (c *chromium) again() {
	c.t.Helper()
	c.tabTo("Talk to it in the chat")
	c.press("Enter")
	c.until("location.hash === '#chat'")
	c.tabTo("Start anew")
	c.press("Enter")
	c.write("hello")
	c.press("Enter")
	c.until("document.querySelectorAll('.answer')[1]?.innerText.startsWith('shop, round 1\\nyes')")
}

// curves looks at the curves of runs, while one trains.
func (c *chromium) curves() {
	c.t.Helper()
	c.tabTo("Runs")
	c.press("Enter")
	c.until("document.querySelectorAll('.chart path').length >= 4")
	c.says("30")
	write(c.t, "runs/live/metrics.jsonl", metricRows(1, 30)+metricRows(31, 45))
	c.says("45")
	c.says("step 45")
	c.tabTo("Training loss")
	c.press("End")
	c.says("step 45: ")
	c.pictures("runs")
}

// suite asks the suite and holds the answers against the policy.
func (c *chromium) suite() {
	c.t.Helper()
	c.tabTo("Suites")
	c.press("Enter")
	c.says("Never shout.")
	c.eval(`{ // the page hears of the command only when it has ended already
		const plain = fetch;
		fetch = async (address, options) => {
			while (address === "/api/job" && (await (await plain(address)).json())?.running);
			return plain(address, options);
		};
	}`)
	c.tabTo("Ask the model now")
	c.press("Enter")
	c.says("What was found")
	c.says("no-shouting")
	c.tabTo("Show the report")
	c.press("Enter")
	c.pictures("suites")
}
