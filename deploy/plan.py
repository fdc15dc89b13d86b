"""What a deployment is about to do, said before it does it."""

from dataclasses import dataclass

from rich.table import Table as Grid

from cli.progress import Progress
from cli.words import escaped
from deploy.aws import Aws
from deploy.release import Release
from deploy.stack import Proposal, State
from deploy.stages import Stage
from deploy.versions import Version


@dataclass(frozen=True)
class Plan:
    """`live` is the version that answers now, None before the first deployment."""

    aws: Aws
    stage: Stage
    release: Release
    bucket: str
    is_uploaded: bool
    state: State | None
    live: Version | None
    proposal: Proposal

    def show(self, progress: Progress) -> None:
        """Prints it."""
        artifact = self.release.artifact
        size = f"{artifact.size / 1e6:.1f} MB for {artifact.runtime} on {artifact.arch}, sha256 {artifact.sha256}"
        now = (self.live.model or "unknown") if self.live else "none"
        already = " (there already)" if self.is_uploaded else ""
        for title, text in {
            "stage": self.stage.name,
            "account": f"{self.aws.account}, as {self.aws.identity}",
            "region": self.aws.region,
            "stack": f"{self.stage.stack} ({self.state.status if self.state else 'new'})",
            "model": f"{artifact.manifest.model_version} (now: {now})",
            "package": f"{artifact.path}, {size}",
            "from": self.release.parameters["ImageUri"] or f"s3://{self.bucket}/{artifact.key}{already}",
            "traffic": self._traffic(),
            "if it fails": self._failure(),
        }.items():
            progress.say(f"[bold]{title:<13}[/]{escaped(text)}")
        self._show_changes(progress)

    def _traffic(self) -> str:
        if self.live is None:
            return "all of it, to the first version"
        if not self.release.is_gradual:
            return f"all at once, from version {self.live.number} to the new one; no alarm stops it"
        return f"{self.release.parameters['Traffic']}, from version {self.live.number} to the new one"

    def _failure(self) -> str:
        if self.live is None:
            return "CloudFormation removes what it has made; nothing answers, as before"
        causes = "an error of CloudFormation's" + (", one of four alarms" if self.release.is_gradual else "")
        return f"{causes} or the smoke test brings version {self.live.number} back"

    def _show_changes(self, progress: Progress) -> None:
        changes = self.proposal.changes
        if not changes:
            progress.say("Nothing changes: this release is what runs there.")
            return
        grid = Grid(box=None, pad_edge=False)
        for title in ("Change", "Resource", "Type"):
            grid.add_column(title)
        for change in sorted(changes, key=lambda change: (change.action, change.name)):
            action = f"{change.action}, replaced" if change.replaces and change.action == "Modify" else change.action
            grid.add_row(action, change.name, change.type)
        progress.console.print(grid)
