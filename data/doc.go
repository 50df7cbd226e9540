// Package data turns files of instructions into training batches.
//
// A row of a file becomes []Message (formats), the messages become one text with spans (the chat template),
// the text becomes ids with a loss mask (Encoder), and examples become flat micro-batches (Plan, BuildBatch).
// Every step accounts for every row: nothing is lost, shortened or left untrained without a count in the Audit.
//
// Axis letters are those of package model: N tokens in a micro-batch, T positions of one row.
package data
