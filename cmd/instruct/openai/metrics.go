package openai

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// metrics counts, in Prometheus' text format.
type metrics struct {
	mu         sync.Mutex
	requests   map[string]int // by their labels
	violated   map[string]int // rules, by their labels
	read, made int            // tokens
}

func newMetrics() *metrics { return &metrics{requests: map[string]int{}, violated: map[string]int{}} }

// violation counts an answer that does not keep a rule.
func (m *metrics) violation(rule, severity string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.violated[fmt.Sprintf("rule=%q,severity=%q", rule, severity)]++
}

// count counts a request.
func (m *metrics) count(path string, status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[fmt.Sprintf("path=%q,code=\"%d\"", path, status)]++
}

// tokens counts those of a request.
func (m *metrics) tokens(u usage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.read += u.PromptTokens
	m.made += u.CompletionTokens
}

func (s *Server) showMetrics(w http.ResponseWriter, _ *http.Request) error {
	running, waiting := s.scheduler.count()
	m := s.metrics
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	metric := func(name, kind, help string) {
		fmt.Fprintf(&b, "# HELP instruct_%s %s\n# TYPE instruct_%s %s\n", name, help, name, kind)
	}
	metric("requests_total", "counter", "Requests by path and status.")
	for _, labels := range slices.Sorted(maps.Keys(m.requests)) {
		fmt.Fprintf(&b, "instruct_requests_total{%s} %d\n", labels, m.requests[labels])
	}
	if s.options.Policy != nil {
		metric("policy_violations_total", "counter", "Answers that violate a rule of the policy.")
		for _, labels := range slices.Sorted(maps.Keys(m.violated)) {
			fmt.Fprintf(&b, "instruct_policy_violations_total{%s} %d\n", labels, m.violated[labels])
		}
	}
	for _, x := range []struct {
		name, kind, help string
		value            int
	}{
		{"prompt_tokens_total", "counter", "Tokens of the prompts of requests.", m.read},
		{"generated_tokens_total", "counter", "Tokens of the answers of requests that were answered.", m.made},
		{"answers_running", "gauge", "Answers that are being made.", running},
		{"answers_waiting", "gauge", "Answers that wait for their turn.", waiting},
	} {
		metric(x.name, x.kind, x.help)
		fmt.Fprintf(&b, "instruct_%s %d\n", x.name, x.value)
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = w.Write([]byte(b.String()))
	return nil
}
