"""The names of what a run directory holds, how files get there whole, and what an earlier start left.

multirun/<model>/<objective>/<tda>/seed<k>[-<hash of what else was overridden>]/
    config.yaml  status.json  run.log  last.ckpt  lag.json  clouds_kept.json  topology.parquet  figures/
    micro_batch.json  metrics.jsonl  journal.jsonl  delivered.json  delivery.lock  mlflow_run_id
    step_000012/  adapter/  clouds.safetensors  diagrams.npz  diagrams.png  zigzag.npz  metrics.json
        standardized/diagrams.npz
        random_updates/0000.safetensors, ...  random_updates.json  where tda.weight_draws asks for them
        step_000000/  base.safetensors; it, the last checkpoint and the step one lag after each: floor.safetensors
multirun/comparison/<sweep>/
    config.yaml  status.json  report.html  *.png  and what MLflow is sent, as above
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..system.files import DamagedError, read_json, set_aside, write_json
from ..system.secrets import redacted

ROOT = Path("multirun")
"""Everything generated lies here, below the directory that the command was started in."""


CONFIG_FILE, JOURNAL_FILE, MLFLOW_ID_FILE, TABLE_FILE = (
    "config.yaml",
    "journal.jsonl",
    "mlflow_run_id",
    "topology.parquet",
)
"""Files that run directories, or copies of them, are searched for."""


@dataclass(frozen=True)
class RunDirectory:
    path: Path
    metric: str = ""
    """The metric of the diagrams, where it is the second one: those have a folder of their own in each step."""

    def with_metric(self, metric: str) -> RunDirectory:
        """The same directory, its diagrams those of a second metric."""
        return replace(self, metric=metric)

    @property
    def config(self) -> Path:
        return self.path / CONFIG_FILE

    @property
    def status(self) -> Path:
        return self.path / "status.json"

    @property
    def log(self) -> Path:
        return self.path / "run.log"

    @property
    def lag(self) -> Path:
        """The lag that was chosen for the run, where it asked for one to be chosen."""
        return self.path / "lag.json"

    @property
    def micro_batch(self) -> Path:
        """The dialogues of a forward pass that were chosen for the run, where it asked for that."""
        return self.path / "micro_batch.json"

    @property
    def last(self) -> Path:
        """Where training goes on: adapter, optimizer, scheduler, random state, step."""
        return self.path / "last.ckpt"

    @property
    def reserve(self) -> Path:
        """Room that a run at work keeps, so that it can say how it ended if the disk is full."""
        return self.path / ".reserve"

    @property
    def kept(self) -> Path:
        """Which clouds were kept, where some were removed on purpose."""
        return self.path / "clouds_kept.json"

    @property
    def spool(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def journal(self) -> Path:
        """What MLflow is sent beside the numbers."""
        return self.path / JOURNAL_FILE

    @property
    def offsets(self) -> Path:
        """How much of spool and journal MLflow has."""
        return self.path / "delivered.json"

    @property
    def lock(self) -> Path:
        """Held by the process that is at work in the directory."""
        return self.path / "delivery.lock"

    @property
    def mlflow_run_id(self) -> Path:
        return self.path / MLFLOW_ID_FILE

    @property
    def table(self) -> Path:
        return self.path / TABLE_FILE

    def step(self, step: int) -> Path:
        return self.path / f"step_{step:06d}"

    def steps(self) -> dict[int, Path]:
        """The folders of all steps that are there, by step."""
        numbered = [path for path in self.path.glob("step_*") if re.fullmatch(r"step_[0-9]{6,}", path.name)]
        return {int(path.name.removeprefix("step_")): path for path in sorted(numbered)}

    def adapter(self, step: int) -> Path:
        return self.step(step) / "adapter"

    def clouds(self, step: int) -> Path:
        return self.step(step) / "clouds.safetensors"

    def floor_clouds(self, step: int) -> Path:
        """Some of the probes captured once more in full float32, where the rounding floor is measured."""
        return self.step(step) / "floor.safetensors"

    def weight_clouds(self, step: int) -> list[Path]:
        """Clouds that random updates of the trained weights gave at a checkpoint, one file a draw, in their order.

        Those that were written, so that one which is gone is missed; of an earlier version, which noted nothing, those
        that are there.
        """
        noted = self._weight_note(step)
        if noted.exists():
            try:
                return [self.weight_cloud(step, draw) for draw in range(read_json(noted)["draws"])]
            except DamagedError as error:
                set_aside(noted, error.reason)
        return sorted(self._random_updates(step).glob("[0-9]*.safetensors"))

    def cloud_files(self, step: int) -> list[Path]:
        """All that was captured at a step, as far as it is there."""
        single = (self.clouds(step), self.floor_clouds(step), self._weight_note(step))
        return [*(path for path in single if path.exists()), *sorted(self._random_updates(step).glob("*"))]

    def note_weight_clouds(self, step: int, draws: int) -> None:
        """To be called when all of a checkpoint's draws are there."""
        write_json(self._weight_note(step), {"draws": draws})

    def _weight_note(self, step: int) -> Path:
        """Beside the folder: it says so if that is gone."""
        return self.step(step) / "random_updates.json"

    def weight_cloud(self, step: int, draw: int) -> Path:
        return self._random_updates(step) / f"{draw:04d}.safetensors"

    def _random_updates(self, step: int) -> Path:
        return self.step(step) / "random_updates"

    def base(self) -> Path:
        """Log-probabilities of the next token that the model of step 0 gives the probes."""
        return self.step(0) / "base.safetensors"

    def diagrams(self, step: int) -> Path:
        return self.step(step) / self.metric / "diagrams.npz"

    def layer_diagram(self, step: int, layer: str) -> Path:
        """One layer's part of `diagrams`, until all are there."""
        return self.step(step) / self.metric / ".layers" / f"{layer}.npz"

    def zigzag(self, step: int) -> Path:
        """How many clusters and loops go on from which layer to which (`tda.neighbors`)."""
        return self.step(step) / "zigzag.npz"

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
        """Written last, so that `done` means that all else is there.

        Args:
            state: running, done, partial (an analysis of a run that is not done, a watched training that ended early),
                interrupted or failed.
        """
        write_json(self.status, redacted({"state": state, "at": time.time(), **facts}))
