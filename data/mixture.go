package data

import (
	"cmp"
	"math"
	"slices"

	"instruct/model/kernel/rng"
)

// Share is one part of a mixture: rows that lie together, and how many of an epoch's rows are theirs.
type Share struct {
	Rows  int // of the part
	Quota int // of each epoch; more than Rows where they are repeated
}

// Mixture gives parts of so many rows their shares of an epoch, which has as many rows as the parts have together:
// quotas are in the proportion of the weights, rounded by the largest remainder, and never 0.
func Mixture(rows []int, weights []float64) ([]Share, error) {
	total, sum := 0, 0.0
	for i, n := range rows {
		if n == 0 {
			return nil, mistake("data: dataset %d of the mixture has no row to train on", i+1)
		}
		total += n
		sum += weights[i]
	}
	shares, rest := make([]Share, len(rows)), make([]float64, len(rows))
	left := total
	for i, n := range rows {
		exact := float64(float64(total) * (weights[i] / sum))
		shares[i] = Share{n, min(int(exact), left)}
		rest[i] = exact - math.Floor(exact)
		left -= shares[i].Quota
	}
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rest[b], rest[a]) })
	for k := 0; left > 0; k++ {
		shares[order[k%len(order)]].Quota++
		left--
	}
	for i, s := range shares {
		if s.Quota == 0 {
			return nil, mistake("data: dataset %d of the mixture has so small a weight (%g of %g) that none of the %d rows of "+
				"an epoch is of it", i+1, weights[i], sum, total)
		}
	}
	return shares, nil
}

// mixed gives the rows of epoch e. Each place is given to the part that is furthest behind its share, so that the first
// k rows of every epoch have less than one row more of a part than its share of k. A part's rows come in an order of
// their own, drawn anew for each pass over the part, which goes on from epoch to epoch.
func (p *Plan) mixed(e int) []int {
	n := len(p.lengths)
	order := make([]int, 0, n)
	parts := make([]mixedPart, len(p.options.Shares))
	first := 0
	for i, s := range p.options.Shares {
		parts[i] = mixedPart{share: s, number: i, first: first, at: e * s.Quota, options: &p.options, pass: -1}
		first += s.Rows
	}
	for k := range n {
		best, behind := 0, math.MinInt
		for i := range parts {
			if b := (k+1)*parts[i].share.Quota - parts[i].given*n; b > behind {
				best, behind = i, b
			}
		}
		order = append(order, parts[best].next())
	}
	return order
}

// mixedPart is where an epoch stands in a part of the mixture.
type mixedPart struct {
	share         Share
	number, first int // of the part, and of its first row
	at            int // rows of it that were given, in all epochs
	given         int // in this one
	options       *PlanOptions
	pass          int   // that order is of
	order         []int // nil: as they lie
}

// next is the next row.
func (m *mixedPart) next() int {
	pass, i := m.at/m.share.Rows, m.at%m.share.Rows
	if pass != m.pass && m.options.Strategy != Sequential {
		r := rng.NewRand(m.options.Seed, "mixture order", uint64(pass), uint64(m.number))
		m.order = r.Perm(m.share.Rows)
	}
	m.pass = pass
	m.at++
	m.given++
	if m.order != nil {
		i = m.order[i]
	}
	return m.first + i
}

// most is how often a row may stand in n rows that follow each other.
func (p *Plan) most(n int) int {
	most := 1
	for _, s := range p.options.Shares {
		most = max(most, 1+(n+s.Rows-1)/s.Rows)
	}
	return most
}
