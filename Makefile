# The README's two commands are `make run` and `make test`. Both install what
# the project needs; neither needs more than Go, Node and make.

GO          ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.8.0
MODULE      := $(shell sed -n 's/^module //p' go.mod)
# The commit, unless it is the one of the release (server/VERSION).
BUILD       := $(shell [ "$$(git describe --tags --exact-match --dirty 2>/dev/null)" = "v$$(cat server/VERSION)" ] || git describe --always --dirty --exclude '*' 2>/dev/null)
FRONTEND    := $(shell find static/src static/packages/*/src static/public static/index.html static/package.json static/vite.config.ts static/tsconfig.json -type f 2>/dev/null)
FONTS       := static/dist/fonts/00-NotoSansSC.ttf

.PHONY: run build test prove stable left test-go test-race test-postgres test-edge fuzz test-frontend test-browser lint audit vulncheck npm-audit bench generate third-party release-notes module-path clean chromium services

# Run with demo accounts at http://localhost:8080.
run: build
	bin/wenzhen serve --demo

build: static/dist/app/index.html $(FONTS)
	$(GO) build -trimpath -ldflags "-s -w -X $(MODULE)/server.build=$(BUILD)" -o bin/wenzhen .

# Frontend packages, as the lock file has them.
static/node_modules/.installed: static/package.json static/package-lock.json
	cd static && npm ci --no-audit --no-fund
	@touch $@

# Programs on Node.js that share Redis with us, for the tests of the cluster.
server/cluster/node/node_modules/.installed: server/cluster/node/package.json server/cluster/node/package-lock.json
	cd server/cluster/node && npm ci --no-audit --no-fund
	@touch $@

# The schemas of what the files in deploy are read by.
deploy/check/node_modules/.installed: deploy/check/package.json deploy/check/package-lock.json
	cd deploy/check && npm ci --no-audit --no-fund
	@touch $@

# The fonts of printed documents, which the binary carries.
$(FONTS): static/node_modules/.installed server/document/fonts/main.go
	$(GO) run ./server/document/fonts static/node_modules static/dist/fonts

static/dist/app/index.html: static/node_modules/.installed $(FRONTEND)
	cd static && npm run build

# Everything, to the end: a part that fails does not keep the others from
# running. Nothing is skipped silently: what is missing is installed, or the run
# fails and says what to install.
test:
	@mkdir -p bin; rm -f bin/timings; failed=; \
	for part in lint test-race test-postgres test-edge fuzz test-frontend test-browser left; do \
	  TIMINGS=$(CURDIR)/bin/timings $(MAKE) --no-print-directory $$part || failed="$$failed $$part"; \
	done; \
	echo; cat bin/timings; \
	if [ -n "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi

# Everything at full size (package prove): about three hours. Run it before a
# release, on a machine that does nothing else.
prove: test
	WENZHEN_PROVE=1 .ci/timed "tests at full size" $(GO) test -count=1 -p 1 -v -timeout 2h $$(git grep -l 'prove\.[SP]' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's,^,./,')
	WENZHEN_TEST_DATABASE=postgres .ci/timed "hostile clients on PostgreSQL" $(GO) test $(GOTEST) ./server/e2e/hostile
	WENZHEN_TEST_ENCRYPTION=1 .ci/timed "tests of the features on an encrypted database" $(GO) test $(GOTEST) ./rooms/...
	$(MAKE) fuzz FUZZTIME=10m

# Tests of what depends on time, N times beside busy loops: hours, which may be
# interrupted and continued. PART is what to run (.ci/repeat).
N ?= 20
stable: services chromium build server/cluster/node/node_modules/.installed
	GO="$(GO)" RACE="$(RACE)" N=$(N) .ci/repeat $(PART)

# What `make test` does in a small way, and how much `make prove` does.
left:
	@echo "Left for make prove:"
	@git grep -hoE 'prove\.Size(\[[a-z0-9]+\])?\(t, "[^"]*", [^,]*, [^)]*\)' -- '*_test.go' | sed -E 's/^[^"]*"([^"]*)", ([^,]*), (.*)\)$$/  \1: \2 of \3/; s/([0-9]+)\*time\./\1 /g; s/time\./1 /g; s/Millisecond/ms/g; s/Second/s/g; s/Minute/min/g; s/["_]//g'
	@echo "  time for each fuzz target: $(FUZZTIME) of 10m"

lint:
	@unformatted=$$(git ls-files '*.go' | xargs gofmt -l); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	.ci/timed "go vet" $(GO) vet ./...
	.ci/timed staticcheck $(GO) run $(STATICCHECK) ./...

# The race detector watches everything but SQLite, which is C translated to Go
# and took nine tenths of the tests' time, and regular expressions.
RACE ?= -race -gcflags='modernc.org/...=-race=false' -gcflags='regexp/...=-race=false'

# Most tests wait for sockets and timers more than they compute, so more of them
# run at once than there are processors.
# `make lint` vets them all.
GOTEST ?= -parallel 6 -timeout 30m -vet=off
# On PostgreSQL run the tests that have a world to themselves; those of hostile
# clients do so in make prove.
WORLDS = $(shell git grep -lE '"$(MODULE)/(rooms/roomstest|server/e2e)"' -- 'rooms/*_test.go' 'server/*_test.go' | xargs -n1 dirname | sort -u | sed 's,^,./,')
INSTALLED = services static/node_modules/.installed server/cluster/node/node_modules/.installed deploy/check/node_modules/.installed $(FONTS)
test-go: test-race test-postgres test-edge
test-race: $(INSTALLED)
	.ci/timed "Go tests with the race detector" $(GO) test $(RACE) $(GOTEST) ./...
test-postgres: $(INSTALLED)
	WENZHEN_TEST_DATABASE=postgres .ci/timed "the same tests on PostgreSQL" $(GO) test $(GOTEST) $(filter-out ./server/e2e/hostile,$(WORLDS))
test-edge: $(INSTALLED)
	.ci/timed "the edge beside the library as shipped, which the race detector would stop" $(GO) test $(GOTEST) -run 'TestDefects|TestJoinAndLeaveDontPass|TestNoHandshakeAfterClose|TestRecoveryOption' ./server/realtime/edge

# Each fuzz target for a moment, on top of its committed corpus (docs/fuzzing.md).
FUZZTIME ?= 2s
fuzz: $(FONTS)
	GO="$(GO)" FUZZTIME=$(FUZZTIME) .ci/timed "fuzz targets" .ci/fuzz

test-frontend: static/node_modules/.installed
	cd static && ../.ci/timed "frontend checks" npm run check && ../.ci/timed "frontend unit tests" npm test

test-browser: chromium build
	cd static && ../.ci/timed "browser tests" npm run e2e

# Chromium for the browser tests, and the one without a window, which takes less
# time for most of them: Debian's packages where we may install them.
chromium:
	@if [ -n "$$CHROMIUM" ] || { command -v chromium && command -v chromium-headless-shell; } >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  export DEBIAN_FRONTEND=noninteractive; apt-get update -qq; \
	  apt-get install -y -qq --no-install-recommends chromium chromium-headless-shell || apt-get install -y -qq --no-install-recommends chromium; \
	fi; \
	command -v chromium >/dev/null || { \
	  echo "The browser tests need Chromium: install it (Debian: apt-get install chromium chromium-headless-shell) or name it in CHROMIUM." >&2; exit 1; }

# PostgreSQL, Redis and load balancers, which tests start for themselves on free
# ports, and systemd's checker: Debian's packages where we may install them,
# without their services.
services:
	@missing=; [ -n "$$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null || command -v initdb)" ] || missing="$$missing postgresql"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	command -v pdftotext >/dev/null || missing="$$missing poppler-utils"; \
	PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null || missing="$$missing nginx-light"; \
	PATH="$$PATH:/usr/sbin" command -v haproxy >/dev/null || missing="$$missing haproxy"; \
	command -v caddy >/dev/null || missing="$$missing caddy"; \
	command -v systemd-analyze >/dev/null || missing="$$missing systemd"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $$missing; \
	else echo "The tests need$$missing: install them (Debian: apt-get install$$missing)." >&2; exit 1; fi

# What is known about what we use. It asks databases on the network, so it is
# no part of `make test`. It fails when something is found, and when something
# could not be asked (SECURITY.md).
audit: vulncheck npm-audit

vulncheck:
	$(GO) run $(GOVULNCHECK) ./...

npm-audit: static/node_modules/.installed
	cd static && npm audit --audit=true
	cd server/cluster/node && npm audit --audit=true
	cd deploy/check && npm audit --audit=true

# Measure us beside our peers (see bench/RESULTS.md): `make bench`, or one
# scenario: `make bench SCENARIO=fan`.
bench:
	$(GO) run ./bench $(if $(SCENARIO),-scenario $(SCENARIO))

# What is generated from the code: TypeScript types, specifications, docs/settings.md.
generate:
	$(GO) generate ./...

# What CHANGELOG.md says about a version; without VERSION, about that of server/VERSION.
release-notes:
	@.ci/release-notes $(VERSION)

# Change the path of the Go module everywhere: make module-path MODULE=HOST/PATH
module-path:
	$(GO) run ./tools/modulepath $(MODULE)

# The licence texts of everything in the binary, to distribute with it (NOTICE).
third-party: static/node_modules/.installed
	@mkdir -p bin
	.ci/third-party > bin/THIRD_PARTY.txt

clean:
	rm -rf bin static/dist/app server/cluster/node/node_modules deploy/check/node_modules static/node_modules static/test-results
