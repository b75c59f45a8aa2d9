"""What the commands beside `src.run` read: typed, with their defaults. A run's own configuration is in `schema.py`."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

from .schema import StoreConfig, TdaConfig, TrackingConfig
from .setting import setting


@dataclass
class LagConfig:
    lag: int | None = setting(None, at_least=1)
    """Optimizer steps between the two captures of a pair: null for the run's own, or a multiple within its repeats."""


@dataclass
class AnalyzeConfig:
    """What `python -m src.analyze` reads."""

    run: str = MISSING
    """Run directory or MLflow run id."""
    schedule: LagConfig = field(default_factory=LagConfig)
    tda: TdaConfig = field(default_factory=TdaConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    force: bool = False
    """Measure again even if this analysis is done."""
    debug: bool = False
    """Show tracebacks."""


@dataclass
class CompareConfig:
    """What `python -m src.compare` reads: one of `sweep`, `runs` and `filter`."""

    sweep: str | None = setting(None, identity=True)
    """Name of the sweep whose finished cells are compared."""
    runs: list[str] = setting(default_factory=list, identity=True)
    """Run directories or MLflow run ids."""
    filter: str | None = setting(None, identity=True)
    """MLflow search filter, such as "tags.kind = 'cell' and params.trainer.lr_schedule = 'constant'"."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    debug: bool = setting(False, identity=False)
    """Show tracebacks."""


@dataclass
class UiSettings:
    open: bool = True
    """Open the page in the browser."""
    port: int | None = setting(None, at_least=1, at_most=65535)
    """Port on 127.0.0.1; null takes a free one."""
    address: str | None = None
    """Where a proxy shows this server to browsers, such as https://hub.example.org/user/me/mlflow; null: directly."""
    prefix: str = ""
    """Path that such a proxy leaves before what it hands on, such as /user/me/mlflow; empty if it takes it away."""


@dataclass
class UiConfig:
    """What `python -m src.ui` reads."""

    ui: UiSettings = field(default_factory=UiSettings)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)


@dataclass
class SyncConfig:
    """What `python -m src.sync` reads."""

    run: str | None = None
    """Run directory; null takes every one under multirun/."""
    tracking: StoreConfig = field(default_factory=StoreConfig)
    """Null takes the store that each run was meant for."""
    debug: bool = False
    """Show tracebacks."""


REMOVABLE = ("partial", "pages", "checkpoints", "adapters", "clouds")
"""What `python -m src.clean` looks for."""


@dataclass
class CleanConfig:
    """What `python -m src.clean` reads."""

    run: str | None = None
    """Run directory; null takes every one under multirun/."""
    what: list[str] = setting(default_factory=lambda: list(REMOVABLE))
    """Kinds that are listed and removed."""
    yes: bool = False
    """Remove what is listed."""
    debug: bool = False
    """Show tracebacks."""


@dataclass
class DoctorConfig:
    """What `python -m src.doctor` reads."""

    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """The store that is asked."""
    debug: bool = False
    """Show tracebacks."""
