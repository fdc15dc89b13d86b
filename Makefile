# Every target sets up what it needs; nothing has to be installed first but Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.DEFAULT_GOAL := help
.PHONY: help run package deploy rollback smoke test parity lint format bench clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

# --no-deps: the lock file is complete, and leaves out the GPU library (290 MB) that xgboost names but a CPU never loads.
$(READY): requirements/dev.txt
	@echo "Setting up .venv (once) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.13")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@touch $(READY)

run: $(READY)  ## train on the built-in population, export, answer the reference request
	@$(BIN)/python -m training.run
	@$(BIN)/python -m export.to_onnx
	@echo "The reference request, through the Lambda handler:"
	@$(BIN)/python -m runtime.ask examples/reference-request.json

package: $(READY)  ## the model in model/ as a Lambda package: dist/task/ and dist/lambda.zip
	@$(BIN)/python -m export.package

# In CI: make deploy STAGE=dev FLAGS=--yes
deploy: $(READY)  ## dist/ to a stage, after saying what changes: STAGE=dev, FLAGS=--dry-run
	@$(BIN)/python deploy/deploy.py $(if $(STAGE),--stage $(STAGE)) $(FLAGS)

rollback: $(READY)  ## the version before answers again: STAGE=prod, or one by VERSION=...
	@$(BIN)/python deploy/rollback.py $(if $(STAGE),--stage $(STAGE)) $(if $(VERSION),--version $(VERSION)) $(FLAGS)

smoke: $(READY)  ## test what runs at URL=..., with the key in LASTBIT_API_KEY
	@$(BIN)/python deploy/smoke.py $(URL) $(FLAGS)

test: $(READY)  ## run every test
	@$(BIN)/python -m pytest

CALIBRATION ?= sigmoid
parity: $(READY)  ## train, export and certify, then check the certificate again
	@$(BIN)/python -m training.run --calibration $(CALIBRATION)
	@$(BIN)/python -m export.to_onnx
	@$(BIN)/python -m export.verify

lint: $(READY)  ## ruff (rules and format), mypy (strict), hadolint
	@$(BIN)/hadolint Dockerfile.lambda
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY)  ## let ruff rewrite what it can
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: $(READY)  ## measure every figure that the README quotes
	@$(BIN)/python -m benchmarks

clean:  ## remove what the other targets made
	rm -rf .venv artifacts model dist build
