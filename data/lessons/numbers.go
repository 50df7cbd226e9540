package lessons

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

func compareNumbers(d *draw) task {
	n := d.numbers(2, 1, 99)
	ask, answer := d.pick(
		"Which is larger, {a} or {b}?",
		"Which number is bigger: {a} or {b}?",
		"Name the larger number: {a} or {b}.",
	), max(n[0], n[1])
	if d.intn(2) == 0 {
		ask, answer = d.pick(
			"Which is smaller, {a} or {b}?",
			"Which number is smaller: {a} or {b}?",
			"Name the smaller number: {a} or {b}.",
		), min(n[0], n[1])
	}
	return task{fill(ask, "a", strconv.Itoa(n[0]), "b", strconv.Itoa(n[1])), strconv.Itoa(answer)}
}

// sum asks for a sum, and for how it is found: the steps are as easy to see as the mistakes, and each is small enough
// to be learned.
func sum(d *draw) task {
	n := d.numbers(2, 1, 49)
	for d.split == HeldOut && (n[0]%10 == 0 || n[1]%10 == 0) { // such a pair could stand in the steps of a training row
		n = d.numbers(2, 1, 49)
	}
	return task{fill(d.pick(
		"What is {a} + {b}?",
		"Add {a} and {b}.",
		"How much is {a} plus {b}?",
		"I have {a} and get {b} more. How many now?",
	), "a", strconv.Itoa(n[0]), "b", strconv.Itoa(n[1])), worked(n[0], n[1])}
}

// worked writes a + b with its steps: 24 + 19 = 30 + 13 = 43, tens and ones first where there are tens.
func worked(a, b int) string {
	tens, ones := a/10*10+b/10*10, a%10+b%10
	if tens == 0 {
		return fmt.Sprintf("%d + %d = %d", a, b, a+b)
	}
	return fmt.Sprintf("%d + %d = %d + %d = %d", a, b, tens, ones, a+b)
}

func sortNumbers(d *draw) task {
	n := d.numbers(3, 1, 99)
	ask := d.pick(
		"Sort these numbers: {l}",
		"Put {l} in order, smallest first.",
		"Sort {l} from small to large.",
	)
	falling := d.intn(3) == 0
	if falling {
		ask = d.pick(
			"Put {l} in order, largest first.",
			"Sort {l} from large to small.",
		)
	}
	ask = fill(ask, "l", joinInts(n))
	sort.Ints(n)
	if falling {
		slices.Reverse(n)
	}
	return task{ask, joinInts(n)}
}

func joinInts(list []int) string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ", ")
}
