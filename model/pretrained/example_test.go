package pretrained_test

import (
	"context"
	"fmt"

	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer"
	"instruct/tokenizer/chat"
)

// A model is made from scratch, with a tokenizer of bytes, and asked. Nobody taught it anything yet.
func Example() {
	tok := tokenizer.Bytes(chat.LessonsTokens()...)
	m, err := pretrained.Make(pretrained.Scratch{Path: "config.json", Tokenizer: tok, ChatTemplate: "lessons",
		Config: []byte(`{"model_type": "gpt2", "n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 64}`)})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := m.ReadWeights(kernel.F32); err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	pool := kernel.NewPool(1)
	defer pool.Close()
	session, err := m.NewSession(pool, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.Close()
	question := []chat.Message{{Role: "user", Content: "Say hi."}}
	answer, err := session.Answer(context.Background(), question, pretrained.Decoding{MaxNew: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Config.Family, "with", m.Config.Vocab, "tokens, stopped by", m.Stop)
	fmt.Println(len(answer.PromptIDs), "tokens read,", len(answer.IDs), "answered:", answer.Finish)
	// Output:
	// gpt2 with 260 tokens, stopped by [256]
	// 9 tokens read, 5 answered: length
}
