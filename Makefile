# siloshim: `make` shows what there is. Everything a target needs, it sets up.

GO     ?= go
TAGS   := no_grpc
BED    := .bed/bin/wine
# Packages that run on any system; test/ needs the bed.
UNIT   := $(GO) list -tags $(TAGS) ./... | grep -v '/test/'
# Packages whose tests speak to the kernel: they run again as Windows programs on Wine.
WINE   := ./jobobject/... ./stats ./stats/prom ./shim ./container/... ./shim/stdio ./shim/task ./cmd/silo/... ./test/rpc
# How long a test program may take. One that takes so long hangs: a busy machine alone makes none so slow.
HUNG   := 1h

.DEFAULT_GOAL := help
.PHONY: help build demo test unit cross cross-amd64 cross-arm64 cross-host cross-faults kube contract suites layouts e2e bed crictl flood pipes pods restarts daemons soak walk crash bench bench-peers bench-pods bench-damon lint clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the shim for Windows into bin/
	CGO_ENABLED=0 GOOS=windows $(GO) build -tags $(TAGS) -trimpath -ldflags '-s -w' -o bin/ ./cmd/...

demo: bed ## a tour: real containerd runs a container through the shim, on Wine
	@$(BED) with -- $(GO) run ./test/demo

test: ## everything: unit, cross, manifests, contract suites and end to end on Wine
	@$(GO) run ./test/report $(MAKE) unit cross kube contract e2e

unit: ## unit tests on this system, with the race detector
	@command -v gcc >/dev/null || { echo "make unit: the race detector needs gcc; try: apt-get install -y gcc libc6-dev"; [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y --no-install-recommends gcc libc6-dev; }
	$(GO) test -race -tags $(TAGS) -timeout $(HUNG) $$($(UNIT))

cross: cross-amd64 cross-arm64 cross-host cross-faults ## vet and compile all for Windows, tests too

cross-amd64 cross-arm64: cross-%:
	GOOS=windows GOARCH=$* $(GO) vet -tags $(TAGS) ./...

cross-host:
	$(GO) vet -tags $(TAGS) ./...

cross-faults:
	$(GO) vet -tags $(TAGS),faults ./...

# Not cached: the go command does not see that deploy/ changed.
kube: ## validate deploy/ against the schemas that Kubernetes publishes
	cd test/kube && $(GO) vet . && $(GO) test -count 1 -timeout $(HUNG) .

bed: ## make the Wine bed in .bed/ (packages, prefix, gap filler, containerd)
	@$(GO) build -o $(BED) ./test/wine
	@$(BED) setup
	@$(BED) build

contract: layouts suites ## the contract suites on Wine's kernel, and structures as mingw's headers have them

layouts: bed
	BED_REQUIRED=1 $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) ./test/wine/layout

suites: bed
	GOOS=windows $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -exec '$(CURDIR)/$(BED) run' $(WINE)

crictl: bed
	@$(BED) crictl

e2e: crictl ## real containerd.exe, ctr.exe and crictl.exe against the shim
	BED_REQUIRED=1 $(BED) with -- $(GO) test -tags $(TAGS) -p 1 -count 1 -timeout $(HUNG) ./test/...

flood: bed ## 200 containers that print 10 MiB and exit at once: every byte must arrive
	$(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run FastExit -v ./test/e2e -floods 200

pipes: N = 100
pipes: bed ## N times `echo data | ctr run --rm ... cat` on each version of containerd
	$(BED) daemons
	for v in $$($(BED) daemons -list); do echo "containerd $$v"; \
	  BED_CONTAINERD=$$v $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run PipedStdin -v ./test/e2e -pipes $(N) || exit 1; done

pods: N = 50
pods: crictl ## N pods at once: all started, asked for their figures ten times, and removed
	$(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run ManyPods -v ./test/e2e -pods $(N)

N ?= 100
restarts: bed ## kill and restart containerd N times under traffic
	$(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run RestartsUnderTraffic -v ./test/e2e -restarts $(N)

daemons: crictl ## the end to end suite with every version of containerd
	$(BED) daemons
	commit=$$(git describe --always --dirty); for v in $$($(BED) daemons -list); do echo "containerd $$v"; \
	  BED_CONTAINERD=$$v $(BED) with -- $(GO) test -json -tags $(TAGS) -count 1 -timeout $(HUNG) ./test/e2e | \
	  $(GO) run ./test/daemons . $$v $$commit || exit 1; done

EXECS  ?= 100000
REAL   ?= 2000
STARTS ?= 200
soak: bed ## EXECS execs on the simulated kernel, REAL on Wine, and STARTS shims at once
	$(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run 'Soak$$' -v ./shim -soak $(EXECS)
	GOOS=windows $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -exec '$(CURDIR)/$(BED) run' -run 'Soak$$|StartsInParallel' -v ./test/rpc -soak $(REAL) -starts $(STARTS)

walk: N = 1000000
walk: ## N random steps over the Task API beside a model, then a slice with the race detector
	$(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run 'Walk$$' -v ./shim -walk $(N)
	$(GO) test -race -tags $(TAGS) -count 1 -timeout $(HUNG) -run 'Walk$$' -v ./shim -walk 20000

crash: bed ## the shim dies or hangs at each of its calls; on Wine some real ones die
	$(GO) test -race -tags $(TAGS),faults -count 1 -timeout $(HUNG) -run 'CrashMatrix|Hang|Dies$$' -v ./shim ./shim/bootstrap
	GOOS=windows $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -exec '$(CURDIR)/$(BED) run' -run Crash -v ./test/rpc

# A benchmark's result takes the place of the last one in docs/performance.json, from which the page is drawn.
MEASURE = $(BED) with -- $(GO) run -tags $(TAGS) -exec '$(CURDIR)/$(BED) run -t 15m'
CHART   = .bed/result.json && $(GO) run ./test/bench/chart docs < .bed/result.json
bench: bed ## what a Stats costs, into docs/performance.md
	GOOS=windows WINEGAP=members $(MEASURE) ./test/bench/scrape > $(CHART)

bench-peers: bed ## the reference shim beside ours, in one run, into docs/performance.md
	$(BED) peers
	GOOS=windows WINEGAP=peer $(MEASURE) ./test/bench/peers > $(CHART)

bench-damon: bed ## silo run beside Damon 0.1.1, in one run: the table of docs/coming-from.md
	$(BED) with -- $(GO) run -tags $(TAGS) ./test/bench/supervisors

# The declarations of Windows are unused elsewhere, so only one run looks for what is.
LINT := .bed/bin/golangci-lint
bench-pods: N = 50
bench-pods: crictl ## the same with the reference shim in the same run
	$(BED) peers
	$(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run ManyPods -v ./test/e2e -pods $(N) -handlers silo,silo-sandbox,runhcs

lint: ## golangci-lint, for Linux and for Windows
	@[ -x $(LINT) ] || GOBIN=$(CURDIR)/.bed/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	$(LINT) run --disable unused
	GOOS=windows $(LINT) run

clean: ## remove what was built, the bed too
	-@[ ! -x $(BED) ] || $(BED) stop
	rm -rf bin .bed
