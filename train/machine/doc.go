// Package machine tells what the system knows: how much memory can be had, and what this process has used of memory and
// processor time.
package machine
