"""The names of what a run directory holds, how files get there whole, and what an earlier start left.

multirun/<model>/<objective>/<tda>/seed<k>[-<hash of what else was overridden>]/
    config.yaml  status.json  run.log  last.ckpt  topology.parquet  figures/
    metrics.jsonl  journal.jsonl  delivered.json  delivery.lock  mlflow_run_id
    step_000012/  adapter/  clouds.safetensors  diagrams.npz  diagrams.png  metrics.json
        step_000000/  floor.safetensors  base.safetensors
multirun/comparison/<sweep>/
    config.yaml  status.json  report.html  *.png  and what MLflow is told, as above
"""

from __future__ import annotations

import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from .config import Config, RequestError
from .integrity import DamagedError, read_json, replacing, set_aside, write_json
from .options import CompareConfig
from .resolve import hash_values, identity, plain

ROOT = Path("multirun")
"""Everything generated lies here, below the directory that the command was started in."""


@dataclass(frozen=True)
class RunDirectory:
    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def status(self) -> Path:
        return self.path / "status.json"

    @property
    def log(self) -> Path:
        return self.path / "run.log"

    @property
    def last(self) -> Path:
        """Where training goes on: adapter, optimizer, scheduler, random state, step."""
        return self.path / "last.ckpt"

    @property
    def spool(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def journal(self) -> Path:
        """What MLflow is told beside the numbers."""
        return self.path / "journal.jsonl"

    @property
    def delivered(self) -> Path:
        """How much of spool and journal MLflow has."""
        return self.path / "delivered.json"

    @property
    def lock(self) -> Path:
        """Held by the process that is at work in the directory."""
        return self.path / "delivery.lock"

    @property
    def mlflow_run_id(self) -> Path:
        return self.path / "mlflow_run_id"

    @property
    def table(self) -> Path:
        return self.path / "topology.parquet"

    def step(self, step: int) -> Path:
        return self.path / f"step_{step:06d}"

    def adapter(self, step: int) -> Path:
        return self.step(step) / "adapter"

    def clouds(self, step: int) -> Path:
        return self.step(step) / "clouds.safetensors"

    def floor_clouds(self) -> Path:
        """Step 0 captured once more with another batch composition."""
        return self.step(0) / "floor.safetensors"

    def base(self) -> Path:
        """Log-probabilities of the next token that the base model gives the probes."""
        return self.step(0) / "base.safetensors"

    def diagrams(self, step: int) -> Path:
        return self.step(step) / "diagrams.npz"

    def layer_diagram(self, step: int, layer: str) -> Path:
        """One layer's part of `diagrams`, until all are there."""
        return self.step(step) / ".layers" / f"{layer}.npz"

    def picture(self, step: int) -> Path:
        """Persistence diagrams and barcodes of the step."""
        return self.step(step) / "diagrams.png"

    @property
    def report(self) -> Path:
        """The page of a comparison."""
        return self.path / "report.html"

    @property
    def figures(self) -> Path:
        return self.path / "figures"

    def metrics(self, step: int) -> Path:
        return self.step(step) / "metrics.json"

    def read_status(self) -> dict[str, Any]:
        """What the last start wrote; empty if there was none, it never came that far, or the file is damaged."""
        if not self.status.exists():
            return {}
        try:
            return read_json(self.status)
        except DamagedError as error:
            set_aside(self.status, error.reason)
            return {}

    def write_status(self, state: str, **facts: Any) -> None:
        """`state`: running, done, interrupted or failed. Written last, so that `done` means that all else is there."""
        write_json(self.status, {"state": state, "at": time.time(), **facts})


def place_run(config: Config, unchanged: Config) -> RunDirectory:
    """The one home of a configuration.

    `unchanged` is the same model, objective and method with nothing else overridden.
    """
    usual = identity(unchanged) | {"seed": config.seed}
    changed = {key: value for key, value in identity(config).items() if usual.get(key) != value}
    # A key that only the defaults have was removed: that is a change too.
    changed |= dict.fromkeys(usual.keys() - identity(config).keys())
    place = ROOT / config.model.name / config.objective.name / config.tda.name
    run = RunDirectory(place / (f"seed{config.seed}" + (f"-{hash_values(changed)[:8]}" if changed else "")))
    return run if run.config.exists() else _named_otherwise(place, config) or run


def _named_otherwise(place: Path, config: Config) -> RunDirectory | None:
    """A directory of this very configuration whose name was made when other keys counted for it."""
    for path in sorted(place.glob(f"seed{config.seed}-*/config.yaml")):
        run = RunDirectory(path.parent)
        with suppress(OmegaConfBaseException):  # of another version: not this configuration
            if identity(load_config(run)) == identity(config):
                return run
    return None


def place_analysis(source: RunDirectory, config: Config) -> RunDirectory:
    """The home of an analysis: beside the clouds that it reads, one for each method, its settings and another lag."""
    settings = {key: value for key, value in identity(config).items() if key.startswith("tda.")}
    if config.schedule.lag != load_config(source).schedule.lag:
        settings["schedule.lag"] = config.schedule.lag
    return RunDirectory(source.path / "analysis" / f"{config.tda.name}-{hash_values(settings)[:8]}")


def comparison_name(config: CompareConfig) -> str:
    """What a comparison is called: as its sweep, or by a hash of what was asked for."""
    if config.sweep and re.fullmatch(r"\w[\w.-]*", config.sweep):
        return config.sweep
    wanted = {"sweep": config.sweep, "runs": config.runs, "filter": config.filter}
    return f"{next(key for key, value in wanted.items() if value)}-{hash_values(wanted)[:8]}"


def place_comparison(config: CompareConfig) -> RunDirectory:
    """The one home of a comparison, so that the same request again takes the place of the earlier one."""
    return RunDirectory(ROOT / "comparison" / comparison_name(config))


def load_config(run: RunDirectory) -> Config:
    """The configuration that a run was made with."""
    stored = OmegaConf.merge(OmegaConf.structured(Config), OmegaConf.load(run.config))
    return OmegaConf.to_object(stored)  # type: ignore[return-value]


def also_in(sweep: str) -> str:
    """The MLflow tag of a run that was done before a sweep that has its cell."""
    return f"also_in_{sweep}"


def run_name(config: Config | CompareConfig) -> str:
    """What a run is called where people read it."""
    if isinstance(config, CompareConfig):
        return f"comparison {comparison_name(config)}"
    return f"{config.model.name} {config.objective.name} {config.tda.name} seed{config.seed}"


def config_hash(config: Config | CompareConfig) -> str:
    return hash_values(identity(config))


def check_earlier_start(run: RunDirectory, config: Config) -> bool:
    """Whether this very configuration is done already.

    Raises:
        RequestError: if the directory holds another configuration, with the keys that differ.
    """
    if config.force or not run.config.exists():
        return False
    ours, theirs = identity(config), identity(load_config(run))
    differing = [
        f"  {key}: {theirs.get(key)} there, {ours.get(key)} now"
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key)
    ]
    if differing:
        raise RequestError(
            f"{run.path} holds a run of another configuration:\n" + "\n".join(differing) + "\n"
            "force=true starts over there; moving the directory away keeps it"
        )
    return run.read_status().get("state") == "done"


def begin(run: RunDirectory, config: Config | CompareConfig, *, afresh: bool) -> None:
    """Make the directory ready for a start that goes on with what an earlier one left, or with nothing if `afresh`.

    Whoever calls holds the directory's lock.
    """
    if afresh:
        for left in run.path.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
            elif left != run.lock:
                left.unlink()
    with replacing(run.config) as partial:
        OmegaConf.save(OmegaConf.create(plain(config)), partial)
    run.write_status("running", config_hash=config_hash(config))


def discard_after(run: RunDirectory, step: int) -> None:
    """Remove the captures of steps after `step`: training comes by there again."""
    for folder in run.path.glob("step_*"):
        if int(folder.name.removeprefix("step_")) > step:
            shutil.rmtree(folder)
