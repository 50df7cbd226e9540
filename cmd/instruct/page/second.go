package page

import (
	"fmt"
	"net/http"
	"path/filepath"
	"sync"

	"instruct/model/pretrained"
)

// second is the model that answers beside the first one. Who asks it holds the lock for reading, so that it is closed
// when its last answer is made.
type second struct {
	sync.RWMutex
	model Model
	end   func() // nil: there is none
}

func (s *second) close() {
	s.Lock()
	defer s.Unlock()
	if s.end != nil {
		s.end()
		s.end = nil
	}
}

// open puts a model in the place of the second one. The older one goes first: two are in memory, never three.
func (p *Page) open(path string) error {
	p.second.close()
	m, end, err := p.options.Open(path)
	if err != nil {
		return err
	}
	p.second.Lock()
	defer p.second.Unlock()
	p.second.model, p.second.end = m, end
	return nil
}

// models are those that answer on the page: one, or two.
func (p *Page) models() []Model {
	p.second.RLock()
	defer p.second.RUnlock()
	if p.second.end == nil {
		return []Model{p.options.Model}
	}
	return []Model{p.options.Model, p.second.model}
}

// chatSecond lets the second model answer, as the first does at /v1/chat/completions.
func (p *Page) chatSecond(w http.ResponseWriter, r *http.Request) error {
	p.second.RLock()
	defer p.second.RUnlock()
	if p.second.end == nil {
		return failed(http.StatusNotFound, "there is no second model; instruct serve takes one as --second")
	}
	asked := r.Clone(r.Context())
	asked.URL.Path = "/v1/chat/completions"
	p.second.model.Chat.ServeHTTP(w, asked)
	return nil
}

// openCurrent lets the model of the behaviour's current round answer beside the first one.
func (p *Page) openCurrent(w http.ResponseWriter, r *http.Request) error {
	dir := p.options.Behaviour
	if dir == "" || p.options.Open == nil {
		return failed(http.StatusNotFound, "there are no rounds here; instruct serve --behaviour DIR shows them")
	}
	current, err := pretrained.Current(dir)
	if err != nil {
		return err
	}
	path, err := pretrained.ResolveRound(dir, current)
	if err != nil {
		return err
	}
	p.opening.Lock()
	defer p.opening.Unlock()
	if err := p.open(path); err != nil {
		return err
	}
	p.second.Lock()
	p.second.model.Name = fmt.Sprintf("%s, round %d", filepath.Base(dir), current)
	p.second.Unlock()
	return p.about(w, r)
}
