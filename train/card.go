package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"instruct/checkpoints"
	"instruct/model/pretrained"
	"instruct/train/recipe"
)

// cardFile is the model card, in Hugging Face's format.
const cardFile = "README.md"

// cardMark tells a card of this program from one that a person wrote, which is never replaced.
const cardMark = "<!-- Written by instruct from the record of the run. Without this line it stays as you write it. -->"

// writeCard writes the model card of a run, where a person wrote none.
func writeCard(s *Saved, name string) error {
	path := filepath.Join(s.Dir, cardFile)
	if fileThere(path) && !ownCard(path) {
		return nil
	}
	return checkpoints.WriteFile(path, card(s, name))
}

// removeCard removes the card of an older run, unless a person wrote it.
func removeCard(dir string) error {
	if path := filepath.Join(dir, cardFile); ownCard(path) {
		return os.Remove(path)
	}
	return nil
}

// ownCard tells whether a card is there that this program wrote.
func ownCard(path string) bool {
	text, err := os.ReadFile(path)
	return err == nil && bytes.Contains(text, []byte(cardMark))
}

// card is the text of the model card: front matter as huggingface_hub reads it, and what the record says in words.
func card(s *Saved, name string) []byte {
	var b bytes.Buffer
	m, r := &s.Manifest, &s.Recipe
	adapter := pretrained.IsAdapter(s.Dir)
	b.WriteString("---\n")
	if r.ModelNameOrPath != "" {
		fmt.Fprintf(&b, "base_model: %s\n", quoted(cardName(r.ModelNameOrPath)))
	}
	library := "transformers"
	if adapter {
		library = "peft"
	}
	fmt.Fprintf(&b, "library_name: %s\npipeline_tag: text-generation\n", library)
	if license := licenseOf(r.ModelNameOrPath); license != "" {
		fmt.Fprintf(&b, "license: %s\n", quoted(license))
	}
	b.WriteString("datasets:\n")
	for _, d := range r.Dataset {
		fmt.Fprintf(&b, "- %s\n", quoted(cardName(d)))
	}
	b.WriteString("tags:\n")
	for _, tag := range cardTags(r, adapter) {
		fmt.Fprintf(&b, "- %s\n", tag)
	}
	b.WriteString("---\n\n")
	fmt.Fprintf(&b, "%s\n\n# %s\n\n", cardMark, name)
	from := fmt.Sprintf("was tuned from %s", code(cardName(r.ModelNameOrPath)))
	if r.ModelNameOrPath == "" {
		from = "was trained from scratch"
	}
	fmt.Fprintf(&b, "A model of %s parameters that %s to follow instructions, with instruct %s.\n", count(m.Parameters),
		from, m.Version)
	cardUse(&b, name, adapter)
	cardData(&b, m)
	cardTraining(&b, m, r)
	fmt.Fprintf(&b, `
## How to repeat it

The same version, recipe and data give the same bits: weights sha256 %s.

    instruct audit verify %s
    instruct verify %[2]s
    instruct train %[2]s/recipe.yaml --output_dir %[2]s-again
`, code(m.WeightsHash), name)
	return b.Bytes()
}

// cardUse says how the model is loaded.
func cardUse(b *bytes.Buffer, name string, adapter bool) {
	class, from := "AutoModelForCausalLM", "transformers"
	if adapter {
		class, from = "AutoPeftModelForCausalLM", "peft"
	}
	fmt.Fprintf(b, "\n## How to use it\n\n```python\nfrom %s import %s\nmodel = %[2]s.from_pretrained(%q)\n```\n\n"+
		"    instruct chat --model %s\n", from, class, name, name)
}

// cardData says what the model was trained on.
func cardData(b *bytes.Buffer, m *Manifest) {
	fmt.Fprintf(b, "\n## What it was trained on\n\n%d rows; %d held out.", m.Rows, m.HeldOutRows)
	if a := m.Audit; a != nil {
		fmt.Fprintf(b, " Of %d rows read %d were used: %d tokens, of which %d are answers that were trained.", a.Rows,
			a.Examples, a.Tokens, a.TrainedTokens)
	}
	b.WriteString("\n\n| file | sha256 |\n|---|---|\n")
	for _, path := range slices.Sorted(maps.Keys(m.Files)) {
		fmt.Fprintf(b, "| %s | `%s` |\n", code(filepath.Base(path)), m.Files[path])
	}
	for _, file := range slices.Sorted(maps.Keys(m.BaseFiles)) {
		fmt.Fprintf(b, "| %s of the model it began with | `%s` |\n", code(file), m.BaseFiles[file])
	}
	fmt.Fprintf(b, "| ids and mask of all rows | `%s` |\n", m.DataHash)
}

// cardTraining says how, and what came of it.
func cardTraining(b *bytes.Buffer, m *Manifest, r *recipe.Recipe) {
	fmt.Fprintf(b, "\n## Training\n\n| | |\n|---|---|\n")
	row := func(name, format string, args ...any) {
		fmt.Fprintf(b, "| %s | %s |\n", name, fmt.Sprintf(format, args...))
	}
	row("steps", "%d of %d rows", m.Steps, r.BatchSize*r.Accumulation)
	row("learning rate", "%g, %s", r.LearningRate, r.Scheduler)
	row("loss", "%s", r.LossType)
	if m.Loss != nil {
		row("last training loss", "%.4f", *m.Loss)
	}
	if m.EvalLoss != nil {
		row("held-out loss", "%.4f", *m.EvalLoss)
	}
	if m.ExactMatch != nil {
		row("exact answers", "%s", percent(*m.ExactMatch))
	}
	row("arithmetic", "%s, %s", r.DType, m.Kernels)
	row("time", "%.0f s on %d threads", m.Seconds, m.Threads)
	b.WriteString("\nNothing else about its abilities, limits and biases was measured here. `recipe.yaml` has every " +
		"key, `run.json` every\nhash, `report.html` shows them, `ledger.jsonl` is the record.\n")
}

// cardTags are the tags of a card.
func cardTags(r *recipe.Recipe, adapter bool) []string {
	tags := []string{"instruct", "instruction-tuning"}
	if _, ok := r.Preference(); ok {
		tags = append(tags, "preference", r.LossType)
	} else {
		tags = append(tags, "sft")
	}
	if adapter {
		tags = append(tags, "lora")
	}
	return tags
}

// cardName is the name of a model or a data set without the folders of this machine; a name of the hub stays.
func cardName(path string) string {
	if pretrained.HubHint(path, "model") != "" {
		return path
	}
	return filepath.Base(filepath.ToSlash(path))
}

// quoted is a text as YAML and JSON quote it.
func quoted(text string) string {
	out, _ := json.Marshal(text)
	return string(out)
}

// code is a text that Markdown shows as it is.
func code(text string) string {
	return "`" + strings.NewReplacer("`", "'", "|", "\\|", "\n", " ").Replace(text) + "`"
}

var licenseLine = regexp.MustCompile(`(?m)^license: *["']?([\w.-]+)["']?\s*$`)

// licenseOf is the license that a model's own card or its GGUF file names, "" where it is not known.
func licenseOf(model string) string {
	if model == "" {
		return ""
	}
	if path, err := pretrained.Resolve(model); err == nil {
		model = path
	}
	if strings.HasSuffix(model, ".gguf") {
		if g, err := checkpoints.OpenGGUF(model); err == nil {
			defer g.Close()
			license, _ := g.String("general.license")
			return license
		}
		return ""
	}
	text, err := os.ReadFile(filepath.Join(model, cardFile))
	if err != nil || !bytes.HasPrefix(text, []byte("---")) {
		return ""
	}
	front, _, ok := strings.Cut(string(text[3:]), "\n---")
	if found := licenseLine.FindStringSubmatch(front); ok && found != nil {
		return found[1]
	}
	return ""
}
