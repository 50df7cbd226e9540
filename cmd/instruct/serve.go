package main

import (
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"

	"instruct/cmd/instruct/openai"
	"instruct/data/policy"
	"instruct/model/pretrained"
)

// server is the command serve as the flags say.
type server struct {
	speakFlags
	openai.Options
	pageFlags
	addr   string
	system string
}

func newServe(s *streams) *cobra.Command {
	f := server{Options: openai.DefaultOptions()}
	c := &cobra.Command{Use: "serve", Short: "Answer over HTTP, as OpenAI's API does, and in a browser", Args: noArgs,
		Long: "Answer requests over HTTP in the form of OpenAI's API: /v1/chat/completions, /v1/completions, /v1/models; " +
			"and /tokenize, /detokenize, /tokenizer_info, /props, /health, /metrics. Several are answered at one time, " +
			"each as it is alone. What a request does not say is as the flags say. Ctrl-C lets what is being answered end. " +
			"At / is a page for a browser: chat with corrections, and the rounds, curves and suites that flags name.",
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, s) }}
	f.speakFlags.add(c)
	f.pageFlags.add(c)
	fl := c.Flags()
	fl.StringVar(&f.addr, "addr", "127.0.0.1:8080", "host and port to listen on; port 0: any that is free")
	fl.StringVar(&f.Key, "api_key", os.Getenv("INSTRUCT_API_KEY"),
		"key that clients must give; needed where other machines reach the address (also: INSTRUCT_API_KEY)")
	fl.Lookup("api_key").DefValue = ""
	fl.StringVar(&f.Name, "name", "", "name of the model for clients; not given: the last part of its path")
	fl.StringVar(&f.system, "system", "",
		"system prompt of chats without one; not given: the one that the model was tuned with")
	fl.StringSliceVar(&f.policies, "policy", nil, "rules that answers, the page's rounds and its evaluations are held "+
		"against: an answer that violates a block rule is withheld, others are marked; may be repeated")
	fl.IntVar(&f.Concurrent, "max_concurrent", f.Concurrent, "answers that are made at one time")
	fl.IntVar(&f.Queue, "max_queue", f.Queue, "requests at one time, those that wait included; more are refused")
	fl.IntVar(&f.MaxLength, "max_length", 0, "most tokens of a prompt with its answer; 0: what the model reads")
	fl.Int64Var(&f.MaxBody, "max_body", f.MaxBody, "most bytes of a request")
	fl.DurationVar(&f.Timeout, "timeout", f.Timeout, "most time for a request, with its waiting")
	fl.BoolVar(&f.Log, "log_requests", false,
		"a line a request on standard error: method, path, status, time; never its contents")
	return c
}

func (f *server) run(cmd *cobra.Command, s *streams) error {
	if err := f.check(); err != nil {
		return err
	}
	if len(f.policies) > 0 {
		var err error
		if f.Policy, err = policy.Read(f.policies...); err != nil {
			return err
		}
	}
	if err := f.pageFlags.check(cmd); err != nil {
		return err
	}
	if f.model == "" && pretrained.IsBehaviour(f.behaviour) {
		f.model = f.behaviour // its current round
	}
	m, pool, err := f.read(cmd)
	if err != nil {
		return err
	}
	defer pool.Close()
	f.System = systemPrompt(cmd, s, f.system, m.System)
	f.Host, f.Options.MaxNew, f.Options.Sampling = f.addr, f.maxNew, f.sampling
	f.Notes = s.err
	l, err := net.Listen("tcp", f.addr)
	if err != nil {
		return mistake("addr %s: %w; give another one with --addr HOST:PORT", f.addr, err)
	}
	defer l.Close()
	p, err := f.openPage(cmd, m)
	if err != nil {
		return err
	}
	defer p.Close()
	f.Page = p
	server, err := openai.New(m, pool, f.Options)
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Fprintf(s.out, "http://%s/v1\n", l.Addr())
	fmt.Fprintf(s.err, "the page for a browser is http://%s/\n", l.Addr())
	if err := server.Serve(cmd.Context(), l); err != nil {
		return err
	}
	fmt.Fprintln(s.err, "stopped")
	return nil
}

// check finds the mistakes in the flags.
func (f *server) check() error {
	if _, _, err := net.SplitHostPort(f.addr); err != nil {
		return mistake("addr is %q; it must be HOST:PORT, such as 127.0.0.1:8080", f.addr)
	}
	if f.Key == "" && !openai.IsLoopback(f.addr) {
		return mistake("addr %s can be reached from other machines, so it needs --api_key; 127.0.0.1:PORT does not", f.addr)
	}
	for _, x := range []struct {
		name  string
		value int64
	}{
		{"max_concurrent", int64(f.Concurrent)}, {"max_queue", int64(f.Queue)}, {"max_body", f.MaxBody},
		{"timeout", int64(f.Timeout)},
	} {
		if x.value < 1 {
			return mistake("%s must be above 0", x.name)
		}
	}
	if f.MaxLength < 0 || f.MaxLength == 1 {
		return mistake("max_length is %d; it must be at least 2, or 0 for what the model reads", f.MaxLength)
	}
	return nil
}
