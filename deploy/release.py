"""A release: a package and the settings of a stage, combined into the template's parameters."""

import json
from dataclasses import dataclass

from cli.errors import WRONG_USAGE, UserError
from deploy.artifact import PACKAGE_AGAIN, Artifact
from deploy.drift import limits_of
from deploy.stages import Stage
from deploy.template import Template
from storage.digest import sha256_of

# Parameters set by the package or a flag, which a stage cannot set.
OURS = ("Stage", "ModelVersion", "Release", "PackageBucket", "PackageKey", "ImageUri", "Gradual")
# Parameters from the manifest, unless a stage sets them.
DERIVED = ("ScoreMedianLow", "ScoreMedianHigh", "MissingShare")
_UNSET = "0" * 12


@dataclass(frozen=True)
class Release:
    """`id` is a digest of the template and of every parameter, the package's hash among them."""

    id: str
    artifact: Artifact
    parameters: dict[str, str]

    @property
    def is_image(self) -> bool:
        """True if Lambda runs an image instead of the zip."""
        return self.parameters["PackageType"] == "Image"

    @property
    def is_gradual(self) -> bool:
        """True if CodeDeploy shifts the traffic."""
        return self.parameters["Gradual"] == "true"


def compose(stage: Stage, template: Template, artifact: Artifact, bucket: str, image: str, *, at_once: bool) -> Release:
    """Raise UserError where settings are missing or unfit, or where the package is for another Python or processor."""
    for name in OURS:
        if name in stage.parameters:
            raise UserError(
                f"deploy/stages.toml: {name}: is not a setting, it comes with the package; remove it", WRONG_USAGE
            )
    derived = limits_of(artifact.manifest.document.get("reference"))
    for name in DERIVED:
        if name not in derived and name not in stage.parameters:
            raise UserError(
                f"{artifact.path}: model/manifest.json: {name} cannot be derived from the training rows in "
                "`reference`; set it in deploy/stages.toml",
                WRONG_USAGE,
            )
    values = (
        derived
        | stage.parameters
        | {
            "Stage": stage.name,
            "ModelVersion": artifact.manifest.model_version,
            "Release": _UNSET,
            "PackageBucket": bucket,
            "PackageKey": artifact.key,
            "ImageUri": image,
            "Gradual": "false" if at_once else "true",
        }
    )
    complete = template.complete(values)
    for name, found in (("Runtime", artifact.runtime), ("Architecture", artifact.arch)):
        if complete[name] != found:
            raise UserError(
                f"{artifact.path}: {name}: stage {stage.name} has {complete[name]}, the package is for {found}; "
                f"{PACKAGE_AGAIN} with --python and --arch, or change deploy/stages.toml"
            )
    wants_image = complete["PackageType"] == "Image"
    if wants_image != bool(image):
        expected = (
            "--image URI@sha256:..., since PackageType is Image" if wants_image else "no --image, since it is Zip"
        )
        raise UserError(f"stage {stage.name}: expected {expected}", WRONG_USAGE)
    content = json.dumps([template.body, sorted(complete.items())])
    release = sha256_of(content.encode())[: len(_UNSET)]
    return Release(release, artifact, complete | {"Release": release})
