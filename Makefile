# One line a target; CI calls the same ones.
GO ?= go
FUZZTIME ?= 20s
export CGO_ENABLED = 0
version := $(shell git describe --tags --always --long --dirty --abbrev=12 2>/dev/null)
generated = grep -rl --include='*.go' --include='*.s' '^// Code generated .* DO NOT EDIT' . | sort | xargs cksum

.PHONY: build train test race pure arm64 fused lint fuzz bench bench-base generate cover smollm2 release chaos

build: ; $(GO) build -ldflags "-X main.built=$(version)" -o bin/instruct ./cmd/instruct
train: build ; ./bin/instruct train --resume_from_checkpoint auto --overwrite_output_dir
test: ; $(GO) test ./...
race: ; CGO_ENABLED=1 $(GO) test -race -short -timeout 40m ./... && CGO_ENABLED=1 $(GO) test -race -short -timeout 40m -tags purego ./model/kernel/... ./model/ops
pure: ; $(GO) test -short -timeout 40m -tags purego ./model/... ./train/...
arm64: ; @command -v qemu-aarch64 >/dev/null || { echo "make arm64: needs qemu-aarch64 (apt-get install qemu-user)" >&2; exit 1; }; GOARCH=arm64 $(GO) test -short -timeout 40m -exec qemu-aarch64 ./model/kernel/...
fused: ; GOARCH=arm64 $(GO) build -o bin/instruct-arm64 ./cmd/instruct && $(GO) tool objdump -s '^instruct/' bin/instruct-arm64 >bin/instruct-arm64.txt && ! grep -E 'FN?M(ADD|SUB)[SD]' bin/instruct-arm64.txt
lint: ; test -z "$$(gofmt -l .)" && $(GO) vet ./... && $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./... && ! grep -rL --include='*.go' '^// Code generated .* DO NOT EDIT' . | xargs awk 'length > 120 { print FILENAME ":" FNR ": over 120 columns" }' | grep .
fuzz: ; .ci/fuzz $(FUZZTIME)
chaos: ; INSTRUCT_CHAOS=$(or $(CHAOS),10m) $(GO) test -count 1 -timeout 0 -run TestChaos -v ./cmd/instruct
bench: build ; $(GO) test -run '^$$' -bench . ./model/kernel && ./bin/instruct bench
bench-base: ; .ci/bench
generate: ; old=$$($(generated)) && $(GO) generate ./... && { test "$$old" = "$$($(generated))" || { echo "make generate: the generated files were old" >&2; exit 1; }; }
cover: ; $(GO) test -coverprofile=cover.out ./... && $(GO) tool cover -func=cover.out | tail -1
smollm2: ; INSTRUCT_SMOLLM2=2 $(GO) test -v -run SmolLM2 -timeout 30m ./train ./model
release: ; .ci/release $(or $(version),devel)
