# Every target sets up what it needs; nothing has to be installed first but Python 3.11 or newer.
PYTHON ?= python3
# Which versions: locked, lowest (the oldest that pyproject.toml allows), newest or prerelease (what there is today).
DEPENDENCIES ?= locked
VENV := .venv$(patsubst %,-%,$(filter-out locked,$(DEPENDENCIES)))
BIN := $(VENV)/bin
READY := $(VENV)/ready

.DEFAULT_GOAL := help
.PHONY: help run node package package-arm64-start bundle deploy rollback smoke test test-quick test-full coverage parity lint lint-deploy docs lock audit format bench bench-quick pictures ranking clean settings

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

# An environment from the lock file that comes first among what it depends on.
# --no-deps: lock files are complete, and leave out the GPU library (290 MB) that xgboost names but a CPU never loads.
define ENVIRONMENT
@echo "Setting up $(@D) (once) ..."
@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.13")'
@"$(PYTHON)" -m venv $(@D)
@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
endef

# Tools whose dependencies contradict ours, or each other's, have environments of their own.
.venv/ready: requirements/dev.txt
.venv-lowest/ready: requirements/lowest.txt
.venv-release/ready: requirements/release.txt
.venv-lint/ready: requirements/lint-deploy.txt
.venv-checkov/ready: requirements/lint-checkov.txt
.venv-ranking/ready: requirements/ranking.txt
.venv-docs/ready: requirements/docs.txt
.venv-audit/ready: requirements/audit.txt
.venv-resolve/ready: requirements/resolve.txt
.venv/ready .venv-lowest/ready .venv-release/ready .venv-lint/ready .venv-checkov/ready .venv-ranking/ready .venv-docs/ready \
.venv-audit/ready .venv-resolve/ready:
	$(ENVIRONMENT)
	@touch $@

# These have no hashes, since nobody has seen the versions before: they are tested, and nothing of them is shipped.
.venv-newest/ready .venv-prerelease/ready: requirements/resolve.txt pyproject.toml
	$(ENVIRONMENT)
	@$(@D)/bin/uv pip compile --quiet --python $(@D)/bin/python $(if $(findstring prerelease,$@),--prerelease allow) \
		--extra dev --no-emit-package nvidia-nccl-cu12 --no-emit-package nvidia-nccl-cu13 --output-file $(@D)/versions.txt pyproject.toml
	@$(@D)/bin/uv pip install --quiet --python $(@D)/bin/python --no-deps -r $(@D)/versions.txt
	@touch $@

run: $(READY)  ## train on the built-in population, export, answer the reference request
	@$(BIN)/python -m training.run
	@$(BIN)/python -m export.to_onnx
	@echo "The reference request, through the Lambda handler:"
	@$(BIN)/python -m runtime.ask examples/reference-request.json

ARCH ?= x86_64
package: $(READY)  ## the model in model/ as a Lambda package: dist/task/ and dist/lambda.zip
	@$(BIN)/python -m export.package --arch $(ARCH)

package-arm64-start: $(READY)  ## the package for arm64 answers as the model does here: under emulation, needs qemu-user-static
	@$(BIN)/python -m delivery.arm64_start

bundle: .venv-release/ready  ## the package and its bill of materials, dist/sbom.cdx.json
	@.venv-release/bin/python -m export.package --arch $(ARCH)
	@.venv-release/bin/python -m delivery.bill_of_materials --arch $(ARCH)

# In CI: make deploy STAGE=dev FLAGS=--yes
deploy: $(READY)  ## dist/ to a stage, after saying what changes: STAGE=dev, FLAGS=--dry-run
	@$(BIN)/python deploy/deploy.py $(if $(STAGE),--stage $(STAGE)) $(FLAGS)

rollback: $(READY)  ## the version before answers again: STAGE=prod, or one by VERSION=...
	@$(BIN)/python deploy/rollback.py $(if $(STAGE),--stage $(STAGE)) $(if $(VERSION),--version $(VERSION)) $(FLAGS)

smoke: $(READY)  ## test what runs at URL=..., with the key in LASTBIT_API_KEY
	@$(BIN)/python deploy/smoke.py $(URL) $(FLAGS)

# What is packaged and deployed is what is locked, so other versions do not concern these.
TESTS ?= $(if $(filter-out locked,$(DEPENDENCIES)),$(addprefix --ignore=tests/,export/packaging deploy delivery))
# A process for each core; a file's tests stay together, since they share what was trained for them.
PYTEST = $(BIN)/python -m pytest --numprocesses auto --dist loadfile
test: $(READY)  ## what decides whether a change lands: every test, large matrices sampled; or those in TESTS
	@$(PYTEST) $(TESTS)

test-quick: $(READY)  ## about two minutes: without what trains, packages, deploys or kills
	@$(PYTEST) --tier quick $(TESTS)

test-full: $(READY)  ## every case of every matrix, as each week
	@$(PYTEST) --tier full $(TESTS)

coverage: $(READY)  ## lines that the tests run, of every process: pyproject.toml says which are left out; TESTS=... for a part
	@rm -rf build/coverage
	@$(BIN)/python -m coverage run -m pytest --numprocesses auto --dist loadfile $(TESTS)
	@$(BIN)/python -m coverage combine --quiet build/coverage
	@$(BIN)/python -m coverage report

CALIBRATION ?= sigmoid
parity: $(READY)  ## train, export and certify, check the certificate again; after make node, in Node too
	@$(BIN)/python -m training.run --calibration $(CALIBRATION)
	@$(BIN)/python -m export.to_onnx
	@$(BIN)/python -m export.verify
	@$(if $(wildcard tests/node/node_modules),$(BIN)/python -m pytest --tier full tests/node)

node:  ## the packages of tests/node, for the parity test of docs/node.md (needs npm)
	@cd tests/node && npm ci

PROSE := runtime cli population storage table trees validation training export scoring local deploy delivery benchmarks \
	tests docs examples .github lastbit.py README.md CONTRIBUTING.md SECURITY.md CODE_OF_CONDUCT.md CHANGELOG.md
lint: $(READY)  ## ruff (rules and format), spelling, marks of unsolved merges, mypy (strict), banned phrases; a warning for each stale figure
	@$(BIN)/ruff check .
	@$(BIN)/ruff check --quiet --preview --select PLW1514 .  # text files have a stated encoding
	@$(BIN)/ruff format --check .
	@$(BIN)/typos --format brief
	@! git grep -nE '^(<<<<<<<|>>>>>>>) '
	@$(BIN)/mypy
	@$(BIN)/python -m delivery.prose $(PROSE)
	@$(BIN)/python -m benchmarks.stale
	@$(BIN)/python -m benchmarks.pictures --check

# Some tools say something even where they find nothing.
quietly = found=$$($(1) 2>&1) || { echo "$$found"; exit 1; }
lint-deploy: .venv-lint/ready .venv-checkov/ready  ## the linters of infrastructure and workflows
	@.venv-lint/bin/hadolint Dockerfile.lambda
	@PATH="$(CURDIR)/.venv-lint/bin:$$PATH" actionlint
	@$(call quietly,.venv-lint/bin/zizmor --offline --quiet --no-progress --persona pedantic .github)
	@.venv-lint/bin/cfn-lint deploy/*.yaml
	@$(call quietly,SAM_CLI_TELEMETRY=0 .venv-lint/bin/sam validate --lint --template deploy/template.yaml)
	@$(call quietly,.venv-checkov/bin/checkov --quiet --compact --skip-download --framework cloudformation dockerfile \
		github_actions --file deploy/*.yaml Dockerfile.lambda .github/workflows/*.yml)

docs: .venv-docs/ready  ## the site of docs/ in build/site, without a warning
	@$(call quietly,NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build)

lock: $(READY) .venv-resolve/ready  ## requirements/ resolved again, versions that fit kept; FLAGS=--upgrade: the newest
	@$(BIN)/python -m delivery.locks --uv .venv-resolve/bin/uv $(FLAGS)

audit: .venv-audit/ready  ## known vulnerabilities of every locked version; requirements/accepted.toml has those accepted
	@.venv-audit/bin/python -m delivery.audit --pip-audit .venv-audit/bin/pip-audit

format: $(READY)  ## let ruff rewrite what it can
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

settings: $(READY)  ## docs/settings.md from the declared settings
	@$(BIN)/python -m training.settings > docs/settings.md

bench: $(READY)  ## measure every figure of docs/benchmarks.md, for hours; python -m benchmarks NAME for a group
	@$(BIN)/python -m benchmarks

bench-quick: $(READY)  ## measure the headline figures, about five minutes
	@$(BIN)/python -m benchmarks --quick

pictures: $(READY)  ## docs/pictures from the built-in model, in headless Chromium
	@$(BIN)/python -m benchmarks.pictures

ranking: .venv-ranking/ready  ## the search against those of others on public tables, a night; FLAGS=--quick: an hour (docs/ranking.md)
	@.venv-ranking/bin/python -m benchmarks ranking $(FLAGS)

clean:  ## remove what the other targets made
	rm -rf .venv .venv-* artifacts model dist build
