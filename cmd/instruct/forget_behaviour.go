package main

import "context"

func (f *forgetting) behaviour(ctx context.Context, s *streams, dir string) error {
	return mistake("forget: %s is a behaviour folder", dir)
}
