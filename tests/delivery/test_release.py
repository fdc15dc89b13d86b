"""A release from a model to a stage, by the steps of the workflows themselves; Docker and gh are stand-ins."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.delivery.conftest import FINDINGS, VARIABLES, build
from tests.delivery.runner import COMMIT, Outcome, Runner
from tests.delivery.workflow_files import ROOT, steps
from tests.export.packaging.model_folder import certify

pytestmark = pytest.mark.tier("land")

BUNDLE = ["image.spdx.json", "lambda.zip", "release.json", "sbom.cdx.json"]
# Stands for deploy/deploy.py, which has tests of its own: notes what it is given, and fails on request.
DEPLOYMENT = """
import hashlib, json, os, sys
from pathlib import Path
folder = Path(os.environ["STAND_IN"])
package = Path(sys.argv[sys.argv.index("--package") + 1])
digest = hashlib.sha256(package.read_bytes()).hexdigest()
(folder / "deployed.json").write_text(json.dumps({"words": sys.argv[1:], "sha256": digest}))
if (folder / "smoke-fails").exists():
    sys.exit("error: /model: model_version: expected another; live is back at version 7")
"""


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def deploy(runner: Runner, stage: str = "dev", *, at_once: str = "false") -> Outcome:
    """The job that deploys."""
    workspace = runner.workspace()
    (workspace / "deploy" / "deploy.py").write_text(DEPLOYMENT)
    return runner.run("deploy.yml", "deploy", workspace, inputs={"stage": stage, "at-once": at_once})


@pytest.fixture
def released(built: tuple[Runner, Outcome], runner: Runner) -> Runner:
    """A runner with a copy of what was built."""
    before, _ = built
    shutil.copytree(before.artifacts, runner.artifacts)
    shutil.copy(before.folder / "attestations", runner.folder)
    return runner


def record(runner: Runner) -> dict[str, str]:
    content: dict[str, str] = json.loads((runner.artifacts / "bundle-x86_64" / "release.json").read_text())
    return content


def test_a_build_records_what_it_has_built(built: tuple[Runner, Outcome], certified: Path) -> None:
    runner, outcome = built
    assert outcome.status == 0, outcome.log
    bundle = runner.artifacts / "bundle-x86_64"
    assert sorted(path.name for path in bundle.iterdir()) == BUNDLE
    written = record(runner)
    assert written["commit"] == COMMIT
    assert written["model_version"] == json.loads((certified / "manifest.json").read_text())["model_version"]
    assert written["zip_sha256"] == digest(bundle / "lambda.zip")
    assert written["sbom_sha256"] == digest(bundle / "sbom.cdx.json")
    assert f"| zip_sha256 | {written['zip_sha256']} |" in outcome.summary
    with ZipFile(bundle / "lambda.zip") as archive:
        assert archive.read("model/model.onnx") == (certified / "model.onnx").read_bytes()


def test_the_image_is_built_on_a_digest_and_known_by_one(built: tuple[Runner, Outcome]) -> None:
    runner, outcome = built
    inspect, push, *_ = [words for words in runner.calls if words[0] == "docker"]
    assert inspect[:5] == ["docker", "buildx", "imagetools", "inspect", "public.ecr.aws/lambda/python:3.13"]
    base = "public.ecr.aws/lambda/python@sha256:" + hashlib.sha256(inspect[4].encode()).hexdigest()
    assert f"BASE={base}" in push
    assert record(runner)["base"] == base
    # Lambda takes neither an index nor an image of several processors.
    assert {"--push", "--provenance=false", "--sbom=false"} <= set(push)
    assert push[push.index("--platform") + 1] == "linux/amd64"
    version = record(runner)["model_version"]
    assert push[push.index("--tag") + 1] == f"{VARIABLES['IMAGE_REPOSITORY']}:{version}-{COMMIT[:12]}-x86_64-77.1"
    image = outcome.outputs["image"]
    assert record(runner)["image"] == f"{image['name']}@{image['digest']}"


def test_zip_and_image_are_attested_twice(built: tuple[Runner, Outcome]) -> None:
    runner, outcome = built
    lines = (runner.folder / "attestations").read_text().splitlines()
    subjects = (f"sha256:{record(runner)['zip_sha256']}", outcome.outputs["image"]["digest"])
    lists = ("https://cyclonedx.org/bom", "https://spdx.dev/Document/v2.3")
    assert lines == [
        f"{subject} {predicate} {COMMIT}"
        for subject, parts in zip(subjects, lists, strict=True)
        for predicate in ("https://slsa.dev/provenance/v1", parts)
    ]


def test_the_image_s_list_is_of_the_image(built: tuple[Runner, Outcome]) -> None:
    """Scanned in the layers that were pushed: the system of the base is in it, which the zip does not have."""
    runner, _ = built
    _, push, scanner, scan = [words for words in runner.calls if words[0] == "docker"]
    pinned = hashlib.sha256(scanner[4].encode()).hexdigest()
    assert f"type=sbom,generator=docker.io/docker/buildkit-syft-scanner@sha256:{pinned}" in scan
    once = ("--push", "--sbom=false", "--metadata-file", "--tag")
    same = push[: push.index(once[0])]
    assert scan[: len(same)] == same
    listed = json.loads((runner.artifacts / "bundle-x86_64" / "image.spdx.json").read_text())
    assert {"glibc", "numpy", "onnxruntime"} <= {part["name"] for part in listed["packages"]}
    assert record(runner)["image_sbom_sha256"] == digest(runner.artifacts / "bundle-x86_64" / "image.spdx.json")


@pytest.mark.tier("full")  # builds the whole bundle again; test_image.py asks the same of the one step
def test_an_image_without_what_is_pinned_is_not_recorded(runner: Runner, certified: Path) -> None:
    (runner.folder / "scanner-fails").touch()
    outcome = build(runner, certified)
    assert outcome.status == 1
    assert "sbom.spdx.json: expected numpy 2." in outcome.log
    assert not (runner.artifacts / "bundle-x86_64").exists()


def test_the_stages_get_the_same_bytes(released: Runner) -> None:
    for stage, at_once in (("dev", "true"), ("prod", "false")):
        outcome = deploy(released, stage, at_once=at_once)
        assert outcome.status == 0, outcome.log
        deployed = json.loads((released.folder / "deployed.json").read_text())
        assert deployed["sha256"] == record(released)["zip_sha256"]
        expected = ["--stage", stage, "--package", "bundles/bundle-x86_64/lambda.zip", "--image", "", "--yes"]
        assert deployed["words"] == expected + ["--at-once"] * (at_once == "true")


def test_an_image_is_deployed_by_its_digest(released: Runner) -> None:
    workspace = released.workspace()
    (workspace / "deploy" / "deploy.py").write_text(DEPLOYMENT)
    stages = workspace / "deploy" / "stages.toml"
    stages.write_text(stages.read_text().replace('PackageType = "Zip"', 'PackageType = "Image"'))
    outcome = released.run("deploy.yml", "deploy", workspace, inputs={"stage": "prod", "at-once": "false"})
    assert outcome.status == 0, outcome.log
    words = json.loads((released.folder / "deployed.json").read_text())["words"]
    assert words[words.index("--image") + 1] == record(released)["image"]
    verified = [words for words in released.calls if words[:3] == ["gh", "attestation", "verify"]]
    kinds = [words[words.index("--predicate-type") + 1] for words in verified if words[3].startswith("oci://")]
    assert kinds == ["https://slsa.dev/provenance/v1", "https://spdx.dev/Document/v2.3"]
    assert {words[3] for words in verified} >= {f"oci://{record(released)['image']}"}


def test_who_signed_is_asked_for(released: Runner) -> None:
    assert deploy(released).status == 0
    calls = [words for words in released.calls if words[0] == "gh"]
    assert len(calls) == 2
    for words in calls:
        flags = dict(zip(words[4::2], words[5::2], strict=False))
        assert flags["--repo"] == "bank/lastbit"
        assert flags["--signer-workflow"] == "bank/lastbit/.github/workflows/release.yml"
        assert flags["--source-digest"] == COMMIT
        assert words[-1] == "--deny-self-hosted-runners"


def test_a_failing_smoke_test_fails_the_release(released: Runner) -> None:
    """deploy.py has brought the version before back by then; `prod` comes after `dev` and does not begin."""
    (released.folder / "smoke-fails").touch()
    outcome = deploy(released)
    assert outcome.status == 1
    assert "live is back at version 7" in outcome.log


def scripts() -> set[str]:
    """The commands that workflows run in the environment of a release, by their first words."""
    found = re.compile(r"\.venv-release/bin/python (-m [\w.]+|[\w/]+\.py)")
    return {script for _, step in steps() for script in found.findall(step.get("run", ""))}


@pytest.mark.parametrize("script", sorted(scripts()))
def test_a_script_needs_no_more_than_is_locked_for_it(release_environment: Path, script: str) -> None:
    words = [str(release_environment), *script.split(), "--help"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


def refused(runner: Runner, outcome: Outcome, line: str) -> None:
    """A release that stopped with one line, and of which nothing was pushed, deployed or attested."""
    assert outcome.status != 0
    errors = [text for text in outcome.log.splitlines() if text.startswith("error: ")]
    assert len(errors) == 1, outcome.log
    assert line in errors[0]
    assert "Traceback" not in outcome.log
    assert not [words for words in runner.calls if "--push" in words]
    assert not (runner.folder / "deployed.json").exists()


@pytest.mark.usefixtures("release_environment")
class TestNothingIsBuilt:
    def test_of_a_model_without_a_certificate(self, runner: Runner, certified: Path, tmp_path: Path) -> None:
        model = shutil.copytree(certified, tmp_path / "model")
        (model / "certificate.json").unlink()
        refused(runner, build(runner, model), "no such file, and a model without one is not trusted")

    def test_with_the_certificate_of_another_model(self, runner: Runner, certified: Path, tmp_path: Path) -> None:
        model = shutil.copytree(certified, tmp_path / "model")
        (model / "manifest.json").write_text((model / "manifest.json").read_text() + " ")
        refused(runner, build(runner, model), "manifest.json: sha256: the certificate has ")

    @pytest.mark.tier("full")  # a whole bundle again; the package asks the same of its own limit
    def test_beyond_the_limits_of_lambda(self, runner: Runner, certified: Path, tmp_path: Path) -> None:
        model = shutil.copytree(certified, tmp_path / "model")
        with (model / "model.onnx").open("r+b") as file:
            file.truncate(200 * 2**20)  # sparse
        certify(model, **FINDINGS)
        refused(runner, build(runner, model), "MB, and Lambda's limit is 262.1 MB")

    @pytest.mark.parametrize("name", ["AWS_REGION", "BUILD_ROLE_ARN", "IMAGE_REPOSITORY"])
    def test_without_a_variable(self, runner: Runner, certified: Path, name: str) -> None:
        del runner.variables[name]
        refused(runner, build(runner, certified), f"not set: {name}; docs/delivery.md says what each is and where")


@pytest.mark.usefixtures("release_environment")
class TestNothingIsDeployed:
    def test_without_a_variable(self, released: Runner) -> None:
        del released.variables["DEPLOY_ROLE_ARN"]
        refused(released, deploy(released), "not set: DEPLOY_ROLE_ARN; docs/delivery.md")

    def test_to_an_undescribed_stage(self, released: Runner) -> None:
        refused(released, deploy(released, "prd"), "no stage prd; did you mean prod?")

    def test_with_other_bytes(self, released: Runner) -> None:
        path = released.artifacts / "bundle-x86_64" / "lambda.zip"
        path.write_bytes(path.read_bytes() + b"\0")
        refused(released, deploy(released), "zip_sha256: the record has ")

    def test_with_another_list_of_parts(self, released: Runner) -> None:
        path = released.artifacts / "bundle-x86_64" / "sbom.cdx.json"
        path.write_text(path.read_text() + " ")
        refused(released, deploy(released), "sbom_sha256: the record has ")

    def test_with_another_list_of_the_image_s_parts(self, released: Runner) -> None:
        path = released.artifacts / "bundle-x86_64" / "image.spdx.json"
        path.write_text(path.read_text() + " ")
        refused(released, deploy(released), "image_sbom_sha256: the record has ")

    def test_of_another_commit(self, released: Runner) -> None:
        released.environment["GITHUB_SHA"] = "f" * 40
        refused(released, deploy(released), "commit: the record has ")

    def test_of_another_model_than_recorded(self, released: Runner) -> None:
        path = released.artifacts / "bundle-x86_64" / "release.json"
        path.write_text(json.dumps(record(released) | {"model_version": "0" * 12}))
        refused(released, deploy(released), "model_version: the record has 000000000000")

    @pytest.mark.parametrize("kind", ["slsa.dev/provenance/v1", "cyclonedx.org/bom"])
    def test_without_an_attestation(self, released: Runner, kind: str) -> None:
        path = released.folder / "attestations"
        path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if kind not in line))
        line = f"lambda.zip: no attestation (https://{kind}) of this release: Error: no attestations found"
        refused(released, deploy(released), line)

    @pytest.mark.parametrize(
        ("content", "line"),
        [
            ("{", "release.json: is not JSON"),
            ('{"image": "a", "image": "b"}', 'release.json: is not JSON ("image" more than once in an object)'),
            ("[]", "release.json: expected an object, got list"),
            ("{}", "release.json: expected commit, model_version, arch"),
        ],
    )
    def test_by_an_invalid_record(self, released: Runner, content: str, line: str) -> None:
        (released.artifacts / "bundle-x86_64" / "release.json").write_text(content)
        refused(released, deploy(released), line)

    def test_by_a_record_with_a_tag(self, released: Runner) -> None:
        path = released.artifacts / "bundle-x86_64" / "release.json"
        path.write_text(json.dumps(record(released) | {"image": f"{VARIABLES['IMAGE_REPOSITORY']}:latest"}))
        refused(released, deploy(released), "release.json: image: expected ")

    def test_that_was_not_built(self, released: Runner) -> None:
        shutil.rmtree(released.artifacts / "bundle-x86_64")
        refused(released, deploy(released), "bundles/bundle-x86_64/release.json: no such file; build the release again")
