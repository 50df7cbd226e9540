package openai

import (
	"net/http"
)

// models lists the one model.
func (s *Server) models(w http.ResponseWriter, _ *http.Request) error {
	type entry struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		Owner   string `json:"owned_by"`
		Most    int    `json:"max_model_len"`
	}
	return w.(*answering).json(http.StatusOK, struct {
		Object string  `json:"object"`
		Data   []entry `json:"data"`
	}{"list", []entry{{s.options.Name, "model", s.created, "instruct", s.options.MaxLength}}})
}

// health says that the server answers, or that it is being stopped.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	if s.draining.Load() {
		return errStopping()
	}
	return w.(*answering).json(http.StatusOK, struct {
		Status string `json:"status"`
	}{"ok"})
}

// props is what llama.cpp's page asks for.
func (s *Server) props(w http.ResponseWriter, _ *http.Request) error {
	type params struct {
		Seed        uint64  `json:"seed"`
		Temperature float64 `json:"temperature"`
		TopK        int     `json:"top_k"`
		TopP        float64 `json:"top_p"`
		MaxTokens   int     `json:"max_tokens"`
	}
	type settings struct {
		Context int    `json:"n_ctx"`
		Params  params `json:"params"`
	}
	type modalities struct {
		Vision bool `json:"vision"`
		Audio  bool `json:"audio"`
		Video  bool `json:"video"`
	}
	o, t := &s.options, s.model.Tokenizer
	return w.(*answering).json(http.StatusOK, struct {
		Settings   settings   `json:"default_generation_settings"`
		Slots      int        `json:"total_slots"`
		Path       string     `json:"model_path"`
		Modalities modalities `json:"modalities"`
		Template   string     `json:"chat_template"`
		BOS        string     `json:"bos_token"`
		EOS        string     `json:"eos_token"`
		Build      string     `json:"build_info"`
	}{settings{o.MaxLength, params{o.Sampling.Seed, o.Sampling.Temperature, o.Sampling.TopK, o.Sampling.TopP, o.MaxNew}},
		o.Concurrent, o.Name, modalities{}, s.model.Template.Source(), t.BOSText(), t.EOSText(), "instruct"})
}
