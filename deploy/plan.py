"""Plan of a deployment, printed before it runs."""

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
    is_uploaded: bool
    state: State | None
    function: str
    live: Version | None
    proposal: Proposal

    @property
    def returns_to(self) -> str:
        """The version that the stack has of this very release, where a rollback has taken `live` away from it."""
        known = self.state.outputs.get("Version", "") if self.state else ""
        is_away = self.live is not None and self.live.number != known
        return known if is_away and not self.proposal.changes else ""

    @property
    def changes_something(self) -> bool:
        """True if there is a change to confirm."""
        return bool(self.proposal.changes or self.returns_to)

    @property
    def _replaces_function(self) -> bool:
        """True if PackageType changes, which replaces the function."""
        before = self.state.outputs.get("FunctionName") if self.state else None
        return before not in (None, self.function)

    def show(self, progress: Progress) -> None:
        """Print the plan."""
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
            "from": self.release.parameters["ImageUri"] or f"s3://{self.stage.bucket}/{artifact.key}{already}",
            "traffic": self._traffic(),
            "if it fails": self._failure(),
        }.items():
            progress.say(f"[bold]{title:<13}[/]{escaped(text)}")
        self._show_changes(progress)

    def _traffic(self) -> str:
        if self._replaces_function:
            return f"all at once, to the new function {self.function}; the previous one is deleted"
        if self.live is None:
            return "all of it, to the first version"
        if self.returns_to:
            return f"all at once, from version {self.live.number} back to {self.returns_to}, which is this release"
        if not self.release.is_gradual:
            return f"all at once, from version {self.live.number} to the new one; no alarm stops it"
        return f"{self.release.parameters['Traffic']}, from version {self.live.number} to the new one"

    def _failure(self) -> str:
        if self._replaces_function:
            return "an error in CloudFormation restores the previous function; the smoke test cannot"
        if self.live is None:
            return "CloudFormation removes what it has made; nothing answers, as before"
        if self.returns_to:
            return f"the smoke test brings version {self.live.number} back"
        causes = "an error of CloudFormation's" + (", one of four alarms" if self.release.is_gradual else "")
        return f"{causes} or the smoke test brings version {self.live.number} back"

    def _show_changes(self, progress: Progress) -> None:
        changes = self.proposal.changes
        if self.returns_to:
            progress.say("Nothing changes in the stack: a rollback has moved the traffic away from its version.")
            return
        if not changes:
            progress.say("Nothing changes: this release is deployed already.")
            return
        grid = Grid(box=None, pad_edge=False)
        for title in ("Change", "Resource", "Type"):
            grid.add_column(title)
        for change in sorted(changes, key=lambda change: (change.action, change.name)):
            action = f"{change.action}, replaced" if change.replaces and change.action == "Modify" else change.action
            grid.add_row(action, change.name, change.type)
        progress.console.print(grid)
