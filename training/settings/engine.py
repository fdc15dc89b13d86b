"""Engine of the fit: rows in memory, on the disk, or on the workers of a Dask cluster."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from cli.settings.declared import Usage
from cli.settings.kinds import OptionalText


@dataclass(frozen=True)
class Engine:
    """Training from Parquet files on more rows than fit into memory; set at most one of the first three keys."""

    external_memory: Annotated[
        bool, Field(description="keep prepared rows on disk; the space is announced before the run and freed after it")
    ] = False
    workers: Annotated[
        int | None,
        Field(ge=1, le=1_024, description="processes of a Dask cluster on this machine", examples=[2]),
        Usage(unset="no cluster"),
    ] = None
    scheduler: Annotated[
        OptionalText,
        Field(
            description="address of a Dask scheduler whose workers see the same files", examples=["tcp://10.0.0.1:8786"]
        ),
        Usage(metavar="ADDRESS", unset="no cluster"),
    ] = None
    cache: Annotated[
        OptionalText,
        Field(description="folder for prepared rows", examples=["/mnt/fast"]),
        Usage(metavar="DIR", unset="beside the results"),
    ] = None

    @property
    def on_cluster(self) -> bool:
        """True where Dask's workers fit."""
        return self.workers is not None or self.scheduler is not None

    @property
    def in_parts(self) -> bool:
        """True where the table is never in memory as a whole."""
        return self.external_memory or self.on_cluster
