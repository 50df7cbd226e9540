package tokenizer

func (t *Tokenizer) Save(dir string) error { return nil }
