# Paddock. `make help` lists what there is to do; `make up` is the start.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GOLANGCI_VERSION := v2.15.0
GOLANGCI := .local/bin/golangci-lint
DEV := .local/bin/dev
MODULES := web/node_modules/.package-lock.json
# Go files that npm packages carry are none of ours.
# Those that take the longest come first, to be begun first.
LONGEST := paddock/localstack/world paddock/localstack/browser paddock/localstack/deployed
PACKAGES = $(LONGEST) $$(go list ./... | grep -v -e /node_modules/ $(LONGEST:%=-e '^%$$'))
# Packages whose tests do not need the engine: told by what they are linked with.
SHORT = $$(go list -test -f '{{.ImportPath}} {{join .Deps " "}}' ./... | grep -E '^[^ ]+\.test ' | \
  grep -v -E '/node_modules/| paddock/localstack/engine' | sed 's/\.test .*//')
ARCH ?= arm64
PRODUCTION ?= true

export PORT TLS_PORT

.PHONY: help up down reset demo test test-short soak lint bench build synth openapi check-sam deploy-local deploy clock otp mail logs tools lock dev

help: ## list the targets
	@sed -nE 's/^([a-z][a-z-]*):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

up: dev ## start the local environment and deploy to it [PORT=8080] [TLS_PORT=8443] [PADDOCK_ENGINE_URL=https://...]
	@$(DEV) up

down: dev ## stop it and keep its state
	@$(DEV) down

reset: dev ## stop it and forget its state and the demo
	@$(DEV) reset

demo: ## walk through the whole journey, step by step
	@go run ./localstack/demo

# Collecting garbage often is a tenth of what the suite costs; what go vet finds,
# lint finds as well.
test lint: export GOGC ?= 800
test: tools $(MODULES) ## run all tests (a private engine is started where one is needed)
	npm --prefix web test
	go run ./localstack/browser/find
	go test -count=1 -p 4 -timeout 20m -vet=off $(PACKAGES)
	@[ -n "$${ALPACON:-}" ] || command -v alpacon >/dev/null || \
	  echo "NOT RUN: the lines of README's tour that need the alpacon command line; install it, or name it: make test ALPACON=<path>"

test-short: ## run the tests that need no engine
	go test -timeout 5m $(SHORT)

soak: export PADDOCK_SOAK = 1
soak: tools ## run the long tests
	go run ./localstack/browser/find
	go test -count=1 -timeout 60m $(PACKAGES)

lint: $(GOLANGCI)-$(GOLANGCI_VERSION) $(MODULES) ## golangci-lint with vet and gofumpt, cfn-lint
	$(GOLANGCI)-$(GOLANGCI_VERSION) run --allow-parallel-runners $(LINT_FLAGS)
	infra/lint.sh

bench: tools ## run the benchmarks
	go test -run '^$$' -bench . -benchmem -timeout 30m $(PACKAGES)
	cd shared/authz/peers && go test -run '^$$' -bench . -benchmem -timeout 30m ./...

build: dev ## build console and functions for AWS into build/ [ARCH=arm64|amd64]
	@$(DEV) build -arch $(ARCH)

synth: ## synthesise the template and rewrite the committed golden
	go test ./infra/... -update

openapi: ## write the committed description of the API and the golden files of rows and codes anew
	go test ./shared/httpapi ./shared/httpapi/openapi ./shared/route -update

check-sam: ## let SAM validate the synthesised template (needs the sam command)
	@command -v sam >/dev/null || { echo "The sam command was not found. Get it from https://aws.amazon.com/serverless/sam/."; exit 1; }
	sam validate --lint

deploy-local: tools ## run the real cdk bootstrap and cdk deploy against an engine of its own
	infra/deploy-local.sh

deploy: build ## deploy to the AWS account of the environment [PASSWORD_FILTER=<file>] [CDK_FLAGS=...] [PRODUCTION=false]
	cmp -s infra/package-lock.json .local/cdk/package-lock.json || { rm -rf .local/cdk && mkdir -p .local/cdk && \
	  cp infra/package.json .local/cdk/ && cp infra/package-lock.json .local/cdk/package-lock.json && \
	  npm ci --prefix .local/cdk --no-audit --no-fund --silent || { rm -rf .local/cdk; exit 1; }; }
	cd infra && ../.local/cdk/node_modules/.bin/cdk deploy -c production=$(PRODUCTION) \
	  --parameters Architecture=$(if $(filter amd64,$(ARCH)),x86_64,arm64) \
	  $(if $(PASSWORD_FILTER),-c passwordFilter="$(abspath $(PASSWORD_FILTER))") $(CDK_FLAGS)

clock: dev ## move the functions' clock: ADVANCE=2h30m or ADVANCE=14d, or RESET=1
	@$(DEV) clock $(if $(ADVANCE),-advance=$(ADVANCE)) $(if $(RESET)$(filter RESET,$(MAKECMDGOALS)),-reset)

otp: dev ## print the present one-time code of a demo account: USER=<name>
	@$(DEV) otp -user="$(USER)"

mail: dev ## print the mail that was sent [FORMAT=json]
	@$(DEV) mail $(if $(FORMAT),-format=$(FORMAT))

logs: dev ## print what the functions logged [FUNCTION=api] [SINCE=1h]
	@$(DEV) logs $(if $(FUNCTION),-function=$(FUNCTION)) $(if $(SINCE),-since=$(SINCE))

tools: dev ## check the machine and install the pinned engine into .local
	@$(DEV) tools

lock: ## pin the Python packages anew from localstack/*.in
	.local/venv/bin/pip install --quiet pip-tools
	for name in requirements schemathesis; do \
	  CUSTOM_COMPILE_COMMAND="make lock" .local/venv/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe \
	    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	    --output-file localstack/$$name.lock localstack/$$name.in; \
	done

# They carry Go files: nothing lists packages while they are being put there.
$(MODULES): web/package-lock.json
	npm ci --prefix web --no-audit --no-fund --silent
	@touch $@

dev:
	@command -v go >/dev/null || { echo "Go 1.26 or newer is needed and was not found. Get it from https://go.dev/dl/."; exit 1; }
	@go build -o $(DEV) ./localstack/dev

# `make clock RESET` as well as `make clock RESET=1`.
.PHONY: RESET
RESET:
	@:

$(GOLANGCI)-$(GOLANGCI_VERSION):
	@mkdir -p .local/bin
	GOBIN=$(CURDIR)/.local/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv $(GOLANGCI) $@
