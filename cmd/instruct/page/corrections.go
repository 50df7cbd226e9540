package page

import (
	"net/http"
	"slices"

	"instruct/data"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
	"instruct/train/coach"
)

// correction is what a person says of an answer.
type correction struct {
	Model       int            `json:"model"` // which of the page's models answered
	Prompt      []chat.Message `json:"prompt"`
	Answer      string         `json:"answer"` // that was given
	Wanted      string         `json:"wanted"`
	Note        string         `json:"note"`
	Rule        string         `json:"rule"`
	Paraphrases []string       `json:"paraphrases"`
	Near        []string       `json:"near"`
	Replaces    string         `json:"replaces"` // id of the last correction, which this one takes the place of; or ""
}

// corrected is a model of the page whose answers are corrected.
func (p *Page) corrected(model int) (Model, error) {
	models := p.models()
	if model < 0 || model >= len(models) || models[model].Corrections == nil {
		return Model{}, failed(http.StatusNotFound,
			"no corrections are taken here; instruct serve --corrections FILE takes them")
	}
	return models[model], nil
}

// file is the file of corrections, which is the same for all models.
func (p *Page) file() (*coach.Corrections, error) {
	m, err := p.corrected(0)
	return m.Corrections, err
}

// correct adds a correction to the file, as `instruct correct` does.
func (p *Page) correct(w http.ResponseWriter, r *http.Request) error {
	var c correction
	if err := read(w, r, &c); err != nil {
		return err
	}
	m, err := p.corrected(c.Model)
	if err != nil {
		return err
	}
	file, prompt := m.Corrections, c.Prompt
	if system := m.System; system != "" && (len(prompt) == 0 || prompt[0].Role != "system") {
		prompt = append([]chat.Message{{Role: "system", Content: system}}, prompt...) // as it was asked
	}
	made := file.New(prompt, c.Wanted, c.Answer)
	made.Note, made.Rule = c.Note, c.Rule
	made.Paraphrases = append(made.Paraphrases, c.Paraphrases...)
	made.Near = append(made.Near, c.Near...)

	p.correcting.Lock()
	defer p.correcting.Unlock()
	before, err := file.Before(&made)
	switch {
	case err != nil:
		return err
	case before != nil:
		made = *before
	case c.Replaces != "":
		err = file.ReplaceLast(c.Replaces, &made)
	default:
		err = file.Add(made)
	}
	if err != nil {
		return err
	}
	return reply(w, map[string]string{"id": made.ID, "file": file.Path})
}

// undo takes the last correction of the file back.
func (p *Page) undo(w http.ResponseWriter, r *http.Request) error {
	var last struct {
		ID string `json:"id"`
	}
	if err := read(w, r, &last); err != nil {
		return err
	}
	file, err := p.file()
	if err != nil {
		return err
	}
	p.correcting.Lock()
	defer p.correcting.Unlock()
	if err := file.DropLast(last.ID); err != nil {
		return err
	}
	return reply(w, map[string]string{"id": last.ID, "file": file.Path})
}

// waiting is a correction that no round has taught.
type waiting struct {
	ID     string `json:"id"`
	Asked  string `json:"asked"`
	Wanted string `json:"wanted"`
	Note   string `json:"note"`
}

// showCorrections lists the corrections that wait for a round.
func (p *Page) showCorrections(w http.ResponseWriter, _ *http.Request) error {
	file, err := p.file()
	if err != nil {
		return err
	}
	untaught, err := p.untaught()
	if err != nil {
		return err
	}
	list := []waiting{}
	for _, c := range untaught {
		list = append(list, waiting{c.ID, c.Prompt[len(c.Prompt)-1].Content, c.Chosen[0].Content, c.Note})
	}
	return reply(w, struct {
		File    string    `json:"file"`
		Waiting []waiting `json:"waiting"`
	}{file.Path, list})
}

// untaught are the corrections of the file that the line of the behaviour's current round was not taught.
func (p *Page) untaught() ([]data.Correction, error) {
	file, err := p.file()
	if err != nil {
		return nil, nil // none are taken
	}
	p.correcting.Lock()
	all, err := file.All()
	p.correcting.Unlock()
	if err != nil || !pretrained.IsBehaviour(p.options.Behaviour) {
		return all, err
	}
	current, err := pretrained.Current(p.options.Behaviour)
	if err != nil {
		return nil, err
	}
	earlier, err := coach.Earlier(p.options.Behaviour, current)
	if err != nil {
		return nil, err
	}
	taught := map[string]bool{}
	for _, c := range earlier {
		taught[c.ID] = true
	}
	return slices.DeleteFunc(all, func(c data.Correction) bool { return taught[c.ID] }), nil
}
