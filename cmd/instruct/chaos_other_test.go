//go:build !linux

package main

func (c *chaos) mount(string) (ok bool) { return false }

func (c *chaos) full(string) {}
