# siloshim: `make` lists the targets. Each target sets up what it needs.

GO     ?= go
TAGS   := no_grpc
# The tool of the Wine test environment, test/wine.
BED    := .bed/bin/wine
# Packages whose tests run on any system; of those in test/ that is sim. The rest needs the wine environment.
UNIT   := $(GO) list -tags $(TAGS) ./... | awk '!/\/test\// || /\/test\/sim$$/'
# Packages whose tests call the kernel. They run as Windows programs on Wine, too.
WINE   := ./jobobject/... ./stats ./stats/prom ./container/... ./internal/logfile ./internal/winsys ./shim/pod ./shim/service ./shim/stdio ./shim/task ./cmd/silo/... ./test/sim ./test/rpc
# The time limit of a test program. None takes that long, also on a busy machine.
HUNG   := 1h
# Packages whose tests write golden files and pages with -update. Those of test/cli need the wine environment.
GOLDEN := grep -rl --include='*_test.go' 'flag.Bool("update"' . | xargs -n 1 dirname | sort -u | grep -v test/cli
# Packages whose API is stable, see RELEASES.md.
PUBLIC := ./jobobject/... ./stats/... ./hcs/... ./schema/...
# Tools, in the versions that tools/go.mod pins.
TOOLS  := .bed/bin
LINT   := $(TOOLS)/golangci-lint
VULN   := $(TOOLS)/govulncheck
DIFF   := $(TOOLS)/apidiff
FLOWS  := $(TOOLS)/actionlint

.DEFAULT_GOAL := help
.PHONY: help build release demo test unit cross cross-amd64 cross-arm64 cross-cgo cross-host cross-faults lint vuln \
	apidiff kube generate golden fuzz cover contract suites layouts e2e bed crictl flood pipes pods restarts daemons \
	prometheus soak walk crash bench bench-exporter bench-growth bench-peers bench-pods bench-damon measure logs evidence browser browser-short \
	screenshots chromium nomad programs hostile cluster cluster-down cluster-test cluster-short cluster-e2e clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the shim for Windows into bin/
	CGO_ENABLED=0 GOOS=windows $(GO) build -tags $(TAGS) -trimpath -ldflags '-s -w' -o bin/ ./cmd/...

# The commit's toolchain and tools make the same files on each machine. CERT and KEY are PEM files to sign with.
VERSION = $$(git describe --tags --exact-match)
release: ## build VERSION for amd64 and arm64 from HEAD into bin/release/: archives, checksums, manifests
	GOTOOLCHAIN=go$$(awk '/^go /{print $$2}' go.mod) $(GO) run ./test/release -version "$(VERSION)" -out bin/release -cert '$(CERT)' -key '$(KEY)' -timestamp '$(TIMESTAMP)'

demo: bed ## demonstration: real containerd runs containers through the shim, on Wine
	@$(BED) with -- $(GO) run ./test/demo

test: ## run all tests and checks
	@$(GO) run ./test/report $(MAKE) unit cross lint vuln apidiff kube nomad $$(command -v chromium >/dev/null && echo browser-short) contract e2e cluster-short

unit: ## run the unit tests on this system, with the race detector
	@command -v gcc >/dev/null || { echo "make unit: the race detector needs gcc; try: apt-get install -y gcc libc6-dev"; [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y --no-install-recommends gcc libc6-dev; }
	$(GO) test -race -tags $(TAGS) -timeout $(HUNG) $$($(UNIT))

cross: cross-amd64 cross-arm64 cross-cgo cross-host cross-faults ## vet and compile all packages and tests for Windows

cross-amd64 cross-arm64: cross-%:
	GOOS=windows GOARCH=$* $(GO) vet -tags $(TAGS) ./...

# Packages of test/ with cgo need a C compiler for Windows. Without one they are skipped; `make bed` installs it.
MINGW  := x86_64-w64-mingw32-gcc
cross-cgo:
	@command -v $(MINGW) >/dev/null || { echo "make cross: SKIPPED: test/hcsim needs $(MINGW)"; exit 0; }; \
	GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=$(MINGW) $(GO) vet -tags $(TAGS) ./test/hcsim/...

cross-host:
	$(GO) vet -tags $(TAGS) ./...

cross-faults:
	$(GO) vet -tags $(TAGS),faults ./...

lint: $(LINT) $(FLOWS) ## run golangci-lint for Linux and for Windows, and actionlint
	$(FLOWS)
	$(LINT) run --allow-parallel-runners --disable unused # declarations for Windows are unused on Linux
	GOOS=windows $(LINT) run --allow-parallel-runners

# Without the vulnerability database the check is skipped, and the target succeeds.
vuln: $(VULN) ## run govulncheck for Windows; skipped without its database
	@out=$$(GOOS=windows $(VULN) -tags $(TAGS) ./... 2>&1) && code=0 || code=$$?; echo "$$out"; \
	case "$$code $$out" in [1-9]*"govulncheck: fetching vulnerabilities:"*) code=0; echo "make vuln: SKIPPED: the vulnerability database cannot be reached";; esac; exit $$code

apidiff: SINCE = $$(git describe --tags --abbrev=0 2>/dev/null)
apidiff: $(DIFF) ## list changes of the public packages since the last tag, or since SINCE
	@since=$(SINCE); [ -n "$$since" ] || { echo "make apidiff: there is no tag yet, so there is nothing to compare with"; exit 0; }; \
	old=$$(mktemp -d) && trap 'git worktree remove --force "$$old/tree"; rm -rf "$$old"' EXIT && git worktree add --quiet --detach "$$old/tree" "$$since" || exit 1; \
	export GOOS=windows GOFLAGS="$$GOFLAGS -tags=$(TAGS)"; for p in $$($(GO) list $(PUBLIC)); do \
	  (cd "$$old/tree" && $(GO) list $$p >/dev/null 2>&1) || { echo "$$p is new since $$since"; continue; }; \
	  (cd "$$old/tree" && $(CURDIR)/$(DIFF) -w "$$old/api" $$p) && echo "$$p since $$since:" && $(DIFF) "$$old/api" $$p || exit 1; done

$(LINT): PACKAGE = github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(VULN): PACKAGE = golang.org/x/vuln/cmd/govulncheck
$(DIFF): PACKAGE = golang.org/x/exp/cmd/apidiff
$(FLOWS): PACKAGE = github.com/rhysd/actionlint/cmd/actionlint
$(LINT) $(VULN) $(DIFF) $(FLOWS): tools/go.mod tools/go.sum
	$(GO) build -C tools -o $(CURDIR)/$@ $(PACKAGE)

generate: ## write the generated pages of docs/
	$(GO) test -tags $(TAGS) -count 1 -run '^(TestDocument|Test.*_Committed_.*)$$' $$($(GOLDEN)) -update

golden: guide ## write the generated pages and all golden files
	$(GO) test -tags $(TAGS),faults -count 1 -timeout $(HUNG) $$($(GOLDEN)) -update

.PHONY: guide
guide: bed ## run the examples of docs/guide.md and docs/docker.md on Wine, and write the output that differs
	BED_REQUIRED=1 $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run '^Test(Guide|Docker)_' -v ./test/cli -update

fuzz: T = 30s
fuzz: ## run each fuzz target for T, then round trip 10,000,000 command lines; prints a table
	$(GO) run ./test/fuzz -go $(GO) -tags $(TAGS) -time $(T)
	$(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run '^TestJoin_RandomArgs_' -v ./internal/commandline -commandlines 10000000

cover: ## measure the coverage of the unit tests; see bin/cover.html
	@mkdir -p bin
	$(GO) test -tags $(TAGS) -timeout $(HUNG) -coverprofile bin/cover.out $$($(UNIT))
	$(GO) tool cover -html bin/cover.out -o bin/cover.html

# Not cached: the go command does not notice changes in deploy/.
kube: ## validate deploy/ against the schemas that Kubernetes publishes
	cd test/kube && $(GO) vet . && $(GO) test -count 1 -timeout $(HUNG) .

# Not cached, as above.
nomad: ## check the job file in deploy/ against the types of Nomad's API
	$(GO) vet -C test/nomad . && $(GO) test -C test/nomad -count 1 -timeout $(HUNG) .

cluster: bed ## run a Kubernetes cluster with an unmodified kubelet on Wine, in the background, and give a tour
	@$(GO) build -o $(TOOLS)/cluster ./test/cluster && ln -sf cluster $(TOOLS)/kubectl
	@$(TOOLS)/cluster build && $(TOOLS)/cluster up && $(TOOLS)/cluster tour

cluster-down: ## stop the cluster of make cluster, and remove all that it left
	@$(GO) build -o $(TOOLS)/cluster ./test/cluster && $(TOOLS)/cluster down

cluster-test: N = 20
cluster-test: crictl ## test the shim with kubelet and a whole control plane on Wine, with N rounds of chaos (SEED); prints a table
	@$(GO) build -o $(TOOLS)/cluster ./test/cluster && $(TOOLS)/cluster build
	BED_REQUIRED=1 $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -parallel 12 -timeout $(HUNG) -v ./test/cluster/suite -chaos $(N) $(addprefix -seed ,$(SEED))

# Part of make test, in less than five minutes, where make cluster has built the executables.
cluster-short: crictl
	@[ -e .bed/cache/kubelet.exe ] && [ -e .bed/cache/etcd.exe ] || { echo "make cluster-short: SKIPPED: kubelet.exe and the control plane are not built; make cluster builds them in half an hour"; exit 0; }; \
	BED_REQUIRED=1 $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -short -parallel 12 -timeout $(HUNG) ./test/cluster/suite

# cases.txt in test/cluster/conformance names the cases. CASES is a regular expression: run only those.
cluster-e2e: bed ## run cases of Kubernetes' own end-to-end tests against the shim on Wine; prints a table
	@$(GO) build -o $(TOOLS)/cluster ./test/cluster && $(TOOLS)/cluster build && $(TOOLS)/cluster build-e2e
	BED_REQUIRED=1 $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout 6h -v ./test/cluster/conformance -handlers silo,silo-sandbox -cases '$(CASES)'

chromium:
	@command -v chromium >/dev/null || { echo "make: the dashboard's tests need chromium; try: apt-get install -y chromium fonts-liberation"; [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y --no-install-recommends chromium fonts-liberation; }

browser: bed chromium ## test silo dashboard in Chromium, with a simulated machine and on Wine
	$(GO) vet -C test/browser .
	$(BED) with -- $(GO) test -C test/browser -count 1 -timeout $(HUNG) .

# Without Wine, in less than a minute. Part of make test where chromium is installed.
browser-short:
	$(GO) vet -C test/browser . && $(GO) test -C test/browser -count 1 -short -timeout $(HUNG) .

screenshots: chromium ## draw the pictures of the dashboard in docs/ from the simulated machine
	$(GO) test -C test/browser -count 1 -timeout $(HUNG) -run '^TestScreenshots$$' -v . -screenshots $(CURDIR)/docs

bed: ## set up the wine environment in .bed/ (packages, prefix, gap filler, containerd)
	@$(GO) build -o $(BED) ./test/wine
	@$(BED) setup
	@$(BED) build

contract: layouts suites ## run the contract suites on Wine, and compare structures with mingw's headers

layouts: bed
	BED_REQUIRED=1 $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) ./test/wine/layout

suites: bed
	GOOS=windows $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -exec '$(CURDIR)/$(BED) run' $(WINE)

crictl: bed
	@$(BED) crictl

e2e: crictl ## test the shim with real containerd.exe, ctr.exe and crictl.exe on Wine
	BED_REQUIRED=1 $(BED) with -- $(GO) test -tags $(TAGS) -p 1 -count 1 -timeout $(HUNG) $$($(GO) list -tags $(TAGS) ./test/... | grep -v -e '/test/sim$$' -e /test/cluster/suite)

hostile: bed ## run programs in job containers that try to harm the shim and their neighbours; prints a table
	BED_REQUIRED=1 $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run '^TestHostile_' -v ./test/e2e

flood: bed ## run 200 containers that print 10 MiB and exit at once; every byte must arrive
	$(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run FastExit -v ./test/e2e -floods 200

logs: MB = 100
logs: bed ## follow logs that are rotated at full speed, also while they are held, here and on Wine; MB=100
	$(GO) test -tags $(TAGS) -count 1 -run FullSpeed -v ./internal/logfile -megabytes $(MB)
	GOOS=windows $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -exec '$(CURDIR)/$(BED) run' -run FullSpeed -v ./internal/logfile -megabytes $(MB)
	BED_REQUIRED=1 $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run FullSpeed -v ./test/cli -logmegabytes $(MB)

pipes: N = 100
pipes: bed ## run `echo data | ctr run --rm ... cat` N times with each version of containerd
	$(BED) daemons
	for v in $$($(BED) daemons -list); do echo "containerd $$v"; \
	  BED_CONTAINERD=$$v $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run PipedStdin -v ./test/e2e -pipes $(N) || exit 1; done

pods: N = 50
pods: crictl ## start N pods at once, query their metrics ten times, and remove them
	$(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run ManyPods -v ./test/e2e -pods $(N)

N ?= 100
restarts: bed ## kill and restart containerd N times under traffic
	$(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run RestartsUnderTraffic -v ./test/e2e -restarts $(N)

prometheus: bed ## test both exporters, the rules and the Grafana dashboard with Debian's Prometheus
	@$(BED) prometheus
	BED_REQUIRED=1 $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run '^TestPrometheus_' -v ./test/cli

# Without the npm registry the programs that the cache lacks are skipped.
programs: crictl ## run node, bun, esbuild, 7za, ffmpeg, dart-sass and biome by ctr, in pods and by silo run; prints a table
	$(BED) programs
	BED_REQUIRED=1 $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run '^TestPrograms_' -v ./test/e2e -programs

daemons: crictl ## run e2e with every version of containerd; writes docs/evidence.md
	$(BED) daemons
	commit=$$(git describe --always --dirty); for v in $$($(BED) daemons -list); do echo "containerd $$v"; \
	  BED_CONTAINERD=$$v $(BED) with -- $(GO) test -json -tags $(TAGS) -count 1 -timeout $(HUNG) ./test/e2e | \
	  $(GO) run ./test/daemons . $$v $$commit || exit 1; done

EXECS  ?= 100000
REAL   ?= 2000
STARTS ?= 200
soak: bed ## run EXECS execs on the simulated kernel, REAL on Wine, and STARTS shims at once
	$(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run '^TestSoak_' -v ./test/sim -soak $(EXECS)
	GOOS=windows $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -exec '$(CURDIR)/$(BED) run' -run 'Soak|StartsInParallel' -v ./test/rpc -soak $(REAL) -starts $(STARTS)

walk: N = 1000000
walk: ## send N random requests, compare with a model, and some with the race detector
	$(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run '^TestWalk_' -v ./test/sim -walk $(N)
	$(GO) test -race -tags $(TAGS) -count 1 -timeout $(HUNG) -run '^TestWalk_' -v ./test/sim -walk 20000

crash: bed ## let the shim exit or hang at each of its calls; on Wine some real shims exit
	$(GO) test -race -tags $(TAGS),faults -count 1 -timeout $(HUNG) -run 'CrashMatrix|Hang|EndsAtEachCall' -v ./test/sim ./shim/bootstrap
	GOOS=windows $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -exec '$(CURDIR)/$(BED) run' -run Crash -v ./test/rpc

# The result of a benchmark replaces the previous one in docs/performance.json. The page is written from it.
MEASURE = $(BED) with -- $(GO) run -tags $(TAGS) -exec '$(CURDIR)/$(BED) run -t 30m'
CHART   = .bed/result.json && $(GO) run ./test/bench/chart docs < .bed/result.json
bench: bed ## measure the cost of a Stats; writes docs/performance.md
	GOOS=windows WINEGAP=members $(MEASURE) ./test/bench/scrape > $(CHART)

bench-peers: bed ## measure the shim beside the reference shim; writes docs/performance.md
	$(BED) peers
	GOOS=windows WINEGAP=bench $(MEASURE) ./test/bench/peers > $(CHART)

bench-exporter: N = 30
bench-exporter: bed ## measure a scrape of silo metrics with N containers of 10 processes
	WINEGAP=members $(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run TestExporter -v ./test/e2e -containers $(N) -processes 10

bench-growth: ## measure how requests grow with processes, containers and execs; writes docs/performance.md
	$(GO) run -tags $(TAGS) ./test/bench/growth > .bed/result.json && $(GO) run ./test/bench/chart docs < .bed/result.json

bench-damon: bed ## measure silo run beside Damon 0.1.1, for docs/coming-from.md
	$(BED) with -- $(GO) run -tags $(TAGS) ./test/bench/supervisors

bench-pods: N = 100
bench-pods: HANDLERS = silo,runhcs
bench-pods: crictl ## run N pods with the shim and N with the reference shim; writes docs/performance.md
	$(BED) peers
	$(BED) with -- $(GO) test -tags $(TAGS) -count 1 -timeout $(HUNG) -run ManyPods -v ./test/e2e -pods $(N) -idle 60s -handlers $(HANDLERS) -result $(CURDIR)/.bed/result.json
	$(GO) run ./test/bench/chart docs < .bed/result.json

evidence: ## write an upload of the workflow windows, DIR, into docs/evidence.md and docs/unproved.md
	$(GO) run ./test/evidence apply -root . "$(DIR)"

measure: ## count lines, files and packages, and list repeated code
	@$(GO) run ./test/measure

clean: ## remove built files and the wine environment
	-@[ ! -x $(BED) ] || $(BED) stop
	rm -rf bin .bed
