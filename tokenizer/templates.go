package tokenizer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"instruct/checkpoints/bounded"
)

// The files of chat templates in a folder, as transformers has them: the default, which counts before the one in
// tokenizer_config.json, and a folder of those with other names.
const (
	templateFile   = "chat_template.jinja"
	templateFolder = "additional_chat_templates"
	templateSuffix = ".jinja"
)

// setTemplate adds or replaces a template.
func (c *config) setTemplate(name, src string) {
	if name == "default" {
		c.chatTemplate = src
		return
	}
	i := slices.IndexFunc(c.moreTemplates, func(t namedTemplate) bool { return t.Name == name })
	if i < 0 {
		c.moreTemplates = append(c.moreTemplates, namedTemplate{name, src})
		return
	}
	c.moreTemplates[i].Template = src
}

// loadTemplates reads the template files of a folder. Where there are any, those of tokenizer_config.json do not count.
func (c *config) loadTemplates(dir string) error {
	var found config
	src, err := bounded.ReadFile(filepath.Join(dir, templateFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return mistake("tokenizer: load: %w", err)
	}
	found.chatTemplate = string(src)
	entries, err := os.ReadDir(filepath.Join(dir, templateFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return mistake("tokenizer: load: %w", err)
	}
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), templateSuffix)
		if !ok || entry.IsDir() {
			continue
		}
		src, err := bounded.ReadFile(filepath.Join(dir, templateFolder, entry.Name()))
		if err != nil {
			return mistake("tokenizer: load: %w", err)
		}
		found.setTemplate(name, string(src))
	}
	if found.chatTemplate != "" || len(found.moreTemplates) > 0 {
		c.chatTemplate, c.moreTemplates = found.chatTemplate, found.moreTemplates
	}
	return nil
}

// saveTemplates writes the template files, and removes those of a template that is no more: a stale one would be
// served.
func (c *config) saveTemplates(dir string, write func(path string, data []byte) error) error {
	path := filepath.Join(dir, templateFile)
	if c.chatTemplate == "" {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return mistake("%w", err)
		}
	} else if err := write(path, []byte(c.chatTemplate)); err != nil {
		return err
	}
	folder := filepath.Join(dir, templateFolder)
	if err := os.RemoveAll(folder); err != nil {
		return mistake("%w", err)
	}
	if len(c.moreTemplates) == 0 {
		return nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return mistake("%w", err)
	}
	for _, t := range c.moreTemplates {
		if t.Name == "" || t.Name == ".." || strings.ContainsAny(t.Name, `/\`) {
			return mistake("the chat template's name %q is no file name", t.Name)
		}
		if err := write(filepath.Join(folder, t.Name+templateSuffix), []byte(t.Template)); err != nil {
			return err
		}
	}
	return nil
}

// templateValue is the chat_template of tokenizer_config.json.
func (c *config) templateValue() any {
	if len(c.moreTemplates) == 0 {
		return c.chatTemplate
	}
	list := slices.Clone(c.moreTemplates)
	if c.chatTemplate != "" {
		list = slices.Insert(list, 0, namedTemplate{"default", c.chatTemplate})
	}
	return list
}
