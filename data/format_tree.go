package data

import (
	"cmp"
	"slices"

	"instruct/tokenizer/chat"
)

// node is a message of a tree of OpenAssistant: every reply to a message is another way to go on.
type node struct {
	source, id, parent string
	message            chat.Message
	rank               float64 // 0 is the reply that people liked best
	gone               bool    // deleted, or refused by the reviewers
	replies            []*node
}

// unranked stands behind every rank.
const unranked = 1e9

// readTree reads a tree, {"message_tree_id", "prompt": {"text", "role", "replies": [...]}}, as one conversation.
func readTree(r *record, row *Row) {
	object, ok := r.values["prompt"].(map[string]any)
	if !ok {
		r.fail("key %q must be the first message of a tree, found %s", "prompt", jsonType(r.values["prompt"]))
		return
	}
	root := r.node(object, 0)
	if r.err == nil {
		row.Messages = root.conversation()
		r.noAnswer(row.Messages)
	}
}

// readTreeMessage reads one message of a tree, {"message_id", "parent_id", "text", "role"}, a line of OpenAssistant's
// tables. With its replies inside it is a tree of its own; else the conversations come at the end of the file.
func readTreeMessage(r *record, row *Row) {
	root := r.node(r.values, 0)
	switch {
	case r.err != nil:
	case len(root.replies) > 0 && root.parent == "":
		row.Messages = root.conversation()
		r.noAnswer(row.Messages)
	default:
		row.node = root
	}
}

func (r *record) noAnswer(messages []chat.Message) {
	if len(messages) == 0 {
		r.fail("no message of the tree was answered: remove it")
	}
}

// deepestTree bounds the recursion.
const deepestTree = 1000

// node reads a message with its replies.
func (r *record) node(object map[string]any, depth int) *node {
	n := &node{source: r.source, rank: unranked}
	text := func(key string) string {
		s, ok := object[key].(string)
		if v := object[key]; v != nil && !ok {
			r.fail("key %q of a message of a tree must be a string, found %s", key, jsonType(v))
		}
		return s
	}
	n.id, n.parent = text("message_id"), text("parent_id")
	n.message = chat.Message{Role: roles[text("role")], Content: text("text")}
	if n.message.Role != "user" && n.message.Role != "assistant" {
		r.fail("the role %q of a message of a tree is unknown; expected prompter or assistant", text("role"))
	}
	if rank, ok := object["rank"].(float64); ok {
		n.rank = rank
	}
	deleted, _ := object["deleted"].(bool)
	accepted, reviewed := object["review_result"].(bool)
	n.gone = deleted || reviewed && !accepted || n.message.Content == ""
	replies, _ := object["replies"].([]any)
	for _, item := range replies {
		reply, ok := item.(map[string]any)
		if !ok || depth == deepestTree {
			r.fail("a reply in a tree must be an object, at most %d deep; found %s", deepestTree, jsonType(item))
			break
		}
		n.replies = append(n.replies, r.node(reply, depth+1))
	}
	return n
}

// conversation is the way through the tree that follows at each message the reply of the best rank, the first of equal
// ones, up to the last answer; nil where nothing was answered. So no answer is trained twice, and none that people
// liked less; openassistant-guanaco takes the same ways.
func (n *node) conversation() []chat.Message {
	if n.gone {
		return nil
	}
	var messages []chat.Message
	answered := 0
	for at := n; at != nil; at = at.best() {
		messages = append(messages, at.message)
		if at.message.Role == "assistant" {
			answered = len(messages)
		}
	}
	return messages[:answered]
}

func (n *node) best() *node {
	var best *node
	for _, reply := range n.replies {
		if !reply.gone && (best == nil || cmp.Less(reply.rank, best.rank)) {
			best = reply
		}
	}
	return best
}

// trees are the messages of a file that are lines of their own.
type trees struct{ nodes []*node }

func (t *trees) add(n *node) { t.nodes = append(t.nodes, n) }

// rows gives the conversation of each tree, in the order of their first messages.
func (t *trees) rows() ([]Row, error) {
	byID := map[string]*node{}
	for _, n := range t.nodes {
		if other := byID[n.id]; other != nil {
			return nil, mistake("data: %s: the message_id %q was used in %s", n.source, n.id, other.source)
		}
		byID[n.id] = n
	}
	var roots []*node
	for _, n := range t.nodes {
		parent := byID[n.parent]
		switch {
		case n.parent == "":
			roots = append(roots, n)
		case parent == nil:
			return nil, mistake("data: %s: the message answers %q (parent_id), which is not in the file: "+
				"add that message, or remove this one with its replies", n.source, n.parent)
		default:
			parent.replies = append(parent.replies, n)
		}
	}
	var rows []Row
	for _, root := range roots {
		if messages := root.conversation(); len(messages) > 0 {
			rows = append(rows, Row{Source: root.source, Messages: messages})
		}
	}
	if len(rows) == 0 && len(t.nodes) > 0 {
		return nil, mistake("data: %s: no message of the file's trees was answered by the assistant", t.nodes[0].source)
	}
	return slices.Clip(rows), nil
}
