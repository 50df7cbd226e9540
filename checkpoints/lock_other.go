//go:build !unix

package checkpoints

// Lock keeps nobody out: this system has no lock of a folder that ends with its process.
func Lock(string) (unlock func(), ok bool, err error) { return func() {}, true, nil }
