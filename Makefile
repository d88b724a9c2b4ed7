# Tallygate's tasks. A machine needs Python >= 3.11 with pip, and make; `make help` names the rest.

.DEFAULT_GOAL := help
.PHONY: help dev test faults bench bench-quick charts package release-check check lint format types imports buf proto proto-check schema schema-check image lock clean
.SUFFIXES:
.DELETE_ON_ERROR:

ARGS ?=
PYTHON ?=
BIN := .venv/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 $(BIN)/python -m pip install --quiet
# Logical CPUs, because psutil counts a shared core once; worksteal keeps a file's tests on one worker while it can.
PYTEST ?= $(BIN)/python -m pytest -n logical --maxprocesses 8 --dist worksteal
UV ?= $(or $(wildcard $(BIN)/uv),uv)

# What is installed carries in its name what it was installed from: neither a touched file nor `git checkout` installs again.
digest = $(shell { echo '$(CURDIR)'; cat pyproject.toml $(1); } | cksum | tr ' ' '-')
RUNTIME := .venv/.runtime-$(call digest,requirements.lock)
TOOLS := .venv/.tools-$(call digest,requirements-dev.lock)

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

NATIVE ?=

dev: $(if $(NATIVE),$(TOOLS),$(RUNTIME)) ## Start a server with Valkey, SQLite and a demo world: make dev ARGS="--help" NATIVE=1
	@exec $(BIN)/tallygate dev $(ARGS)

test: $(TOOLS) ## Pass all tests against real servers; some of them: make test ARGS="-k period"
	$(PYTEST) $(ARGS)

faults: $(TOOLS) ## What can die, at every step, and laws over more examples (test tries a sixth)
	TALLYGATE_THOROUGH=1 $(PYTEST) tests/faults tests/property tests/contract/server/test_native_guards.py \
		tests/integration/test_go_client.py tests/integration/test_cluster.py $(ARGS)

bench: $(TOOLS) ## Measure this machine into tests/load/RESULTS.md: make bench ARGS="--rounds 3"
	PYTHONPATH=tests $(BIN)/python -m load.bench $(ARGS)

bench-quick: $(TOOLS) ## The same with fewer rows and rounds, within a minute
	PYTHONPATH=tests $(BIN)/python -m load.bench --quick $(ARGS)

GO ?= go
HELM := .venv/bin/helm
$(HELM): $(TOOLS)
	GOBIN='$(CURDIR)/.venv/bin' $(GO) install helm.sh/helm/v3/cmd/helm@v3.16.4

KUSTOMIZE := .venv/bin/kustomize
$(KUSTOMIZE): $(TOOLS)
	GOBIN='$(CURDIR)/.venv/bin' $(GO) install sigs.k8s.io/kustomize/kustomize/v5@v5.6.0

ACTIONLINT := .venv/bin/actionlint
$(ACTIONLINT): $(TOOLS)
	GOBIN='$(CURDIR)/.venv/bin' $(GO) install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7

charts: $(HELM) $(KUSTOMIZE) ## Have helm and kustomize render the goldens of deploy/ (needs go): make charts ARGS=--check
	PYTHONPATH=tests $(BIN)/python -m charts.render --helm $(HELM) --kustomize $(KUSTOMIZE) $(ARGS)

package: $(TOOLS) ## Build the wheel and the sdist into dist/
	rm -rf dist
	$(BIN)/python -m build --outdir dist .

VERSION ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
release-check: $(ACTIONLINT) ## All of a release that can be tried here (needs go)
	$(ACTIONLINT)
	$(MAKE) charts ARGS=--check
	$(MAKE) package
	rm -rf .venv/release && $(BIN)/python -m venv .venv/release
	.venv/release/bin/python -m pip install --quiet dist/*.whl
	.venv/release/bin/tallygate --version | grep -F "$(VERSION)"

check: lint types imports buf proto-check schema-check ## All that is checked without running tests

lint: $(TOOLS) ## Ruff: the rules and the format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(TOOLS) ## Let ruff mend what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: $(TOOLS) ## mypy, strict
	$(BIN)/mypy

imports: $(TOOLS) ## The import contracts
	$(BIN)/lint-imports

buf: $(TOOLS) ## Lint the protos, and refuse what breaks the last release's wire
	$(BIN)/buf lint
	$(BIN)/buf breaking --against protos/image.binpb

proto: $(TOOLS) ## Generate the Python stubs and the pages of docs/ from the protos
	$(BIN)/python protos/generate.py
	$(BIN)/python protos/reference.py

proto-check: $(TOOLS) ## Is the generated code up to date?
	$(BIN)/python protos/generate.py --check
	$(BIN)/python protos/reference.py --check

schema: $(TOOLS) ## Write the JSON Schema of the settings file
	$(BIN)/tallygate settings schema > .venv/schema.json
	mv .venv/schema.json src/tallygate/settings.schema.json

schema-check: $(TOOLS) ## Is that schema up to date?
	@$(BIN)/tallygate settings schema | diff -u src/tallygate/settings.schema.json - || { echo 'run: make schema' >&2; exit 1; }

image: $(TOOLS) ## Write the image that later protos must not break: at a release only
	$(BIN)/buf build -o protos/image.binpb

LOCK := pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	--no-emit-find-links --custom-compile-command 'make lock' $(ARGS) pyproject.toml --extra server

lock: ## Write the lock files (needs uv); raise the versions: make lock ARGS=--upgrade
	$(UV) $(LOCK) --group build -o requirements.lock
	$(UV) $(LOCK) --extra native --extra otel --extra pdf --extra stripe --extra paypal --extra razorpay --group dev -c requirements.lock -o requirements-dev.lock
	$(UV) $(LOCK) --extra otel --extra pdf --extra stripe --extra paypal --extra razorpay --group build -c requirements-dev.lock \
		-o requirements-gateways.lock
	awk '/^[^ ]/ { ours = /^pygrpc-native==/ } ours' requirements-dev.lock > requirements-native.lock

clean: ## Remove what tools leave behind; keeps .venv and the data of `make dev`
	rm -rf dist build .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src clients tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME):
	@$(venv)
	@echo 'make: installing Tallygate into .venv'
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@rm -f .venv/.runtime-* .venv/.tools-* && touch $@

$(TOOLS):
	@$(venv)
	@echo 'make: installing Tallygate and what its tests need into .venv'
	@$(PIP) --require-hashes -r requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@rm -f .venv/.runtime-* .venv/.tools-* && touch $(RUNTIME) $@

# Debian's Python has no ensurepip without python3-venv, so that there the pip outside installs the one inside.
define venv
$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 none); do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done; \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo 'make: needs Python 3.11 or newer; if it is not on the PATH: make PYTHON=/path/to/python3' >&2; exit 1; }; \
	"$$python" -m venv .venv >/dev/null 2>&1 || { "$$python" -m venv --without-pip .venv && \
		"$$python" -m pip --python .venv/bin/python install --quiet pip; } || { \
		echo "make: $$python can make no virtual environment with pip; install its venv (Debian: python3-venv)" >&2; exit 1; }; \
}
endef
