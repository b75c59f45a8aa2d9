"""What a run will take of disk, by numbers that need no library: within a factor of two, as a warning needs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..assets import locate
from ..clouds.layers import choose_layers
from ..config import Config, RequestError
from ..config.memory import count_weight_copies, weight_copies_shortage
from ..config.schedule import plan_schedule
from ..rundir import ROOT, RunDirectory
from ..system.machine import GIB, describe_bytes

FLOAT = 4
"""Bytes of what is stored: clouds, adapters, moments."""
TABLES = 2**20
"""Bytes of a checkpoint's metrics, diagrams and picture, and of what MLflow's database and artifacts keep of them."""
FIGURES = 12 * 2**20
"""Bytes of the figures of a run, most of them the interactive page, here and among MLflow's artifacts."""

LEAST = 2**20
"""Bytes that a run which a full disk ended needs at least."""


@dataclass(frozen=True)
class Size:
    """What hangs on the model alone."""

    parameters: float
    width: int
    blocks: int
    vocabulary: int


def model_size(config: Config) -> Size | None:
    """From the model's configuration, else from its folder; None for a hub model whose size is not known."""
    model = config.model
    if model.parameters and model.width and model.blocks:
        return Size(model.parameters, model.width, model.blocks, model.vocabulary or 0)
    folder = Path(locate(model.path))
    if not (folder / "config.json").is_file():
        return None
    try:
        return _describe_size(folder)
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None  # what is wrong with the folder is reported when the model is read


def _describe_size(folder: Path) -> Size | None:
    described = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    described = described.get("text_config", described)
    width, blocks = _first(described, "hidden_size", "n_embd"), _first(described, "num_hidden_layers", "n_layer")
    weights = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    half = described.get("dtype", described.get("torch_dtype")) in ("bfloat16", "float16")
    parameters = weights / (2 if half else FLOAT)
    vocabulary = _first(described, "vocab_size")
    # Weights that are too few for what is described are not those of the description.
    fits = width > 0 and blocks > 0 and vocabulary >= 0 and max(width * blocks, vocabulary) <= parameters
    return Size(parameters, width, blocks, vocabulary) if fits else None


def _first(described: Mapping[str, Any], *names: str) -> int:
    return next((int(described[name]) for name in names if name in described), 0)


def trained_parameters(config: Config, size: Size) -> float:
    """All of them, or the two factors of each linear map of a block: four of attention, three of a 3.5 x wider MLP."""
    if config.adapter.kind == "full":
        return size.parameters
    assert config.adapter.rank is not None  # resolve_config filled it in
    return config.adapter.rank * size.blocks * size.width * (4 * 2 + 3 * 4.5)


def disk_bytes(config: Config, trained_numbers: float | None = None) -> float | None:
    """Of the whole run directory and of what MLflow keeps; None if the model's size is not known.

    Args:
        trained_numbers: how many numbers are trained, where that is known.
    """
    size = model_size(config)
    if size is None:
        return None
    schedule = plan_schedule(config.schedule, config.trainer.max_steps)
    trained = FLOAT * (trained_numbers or trained_parameters(config, size))
    # Adapters stay at each checkpoint; the last state has two moments beside them, and the next is written beside it.
    needed = len(schedule.checkpoints) * trained + 2 * 3 * trained
    needed += config.probe.size * size.vocabulary * FLOAT  # what the base model predicts at each probe
    if config.tda.transformer is not None:
        layers = len(choose_layers(size.blocks))
        clouds = len(schedule.captured) + 1
        if config.tda.weight_draws:
            # Which checkpoints move further than those before is not known yet: all of them may.
            steps = schedule.checkpoints if config.tda.weight_steps is None else config.tda.weight_steps
            clouds += config.tda.weight_draws * len(steps)
            needed += (count_weight_copies(schedule, config.tda) - 2) * trained  # of pairs that have not ended
        needed += clouds * layers * config.probe.size * size.width * FLOAT
        # A second metric has as much of its own; whether `auto` has one shows at step 0.
        needed += FIGURES + len(schedule.checkpoints) * TABLES * (1 if config.tda.second_metric == "none" else 2)
    return needed


def check_weight_copies(config: Config) -> None:
    """Raises RequestError if random updates of all weights need more memory than is free, where the size is known."""
    size = model_size(config)
    if size is None or config.adapter.kind != "full" or not config.tda.weight_draws:
        return
    schedule = plan_schedule(config.schedule, config.trainer.max_steps)
    for problem in weight_copies_shortage(schedule, config.tda, size.parameters * FLOAT / GIB):
        raise RequestError(problem)


def check_disk(configs: Iterable[Config], present: float = 0.0) -> None:
    """Raises RequestError if the runs will not fit beside what is on the disk, or nothing can be written there.

    Args:
        present: bytes of them that are there already.
    """
    try:
        ROOT.mkdir(exist_ok=True)
        free = shutil.disk_usage(ROOT).free
        probe = ROOT / ".writable"
        try:
            probe.touch()
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise RequestError(
            f"{ROOT.resolve()}: cannot be written ({error.strerror}); start from another folder, or mend that"
        ) from error
    needed = sum(disk_bytes(config) or 0.0 for config in configs) - present
    if needed > free:
        more = "more " if present else ""
        raise RequestError(
            f"{ROOT.resolve()}: needs about {describe_bytes(needed)} {more}of disk, {describe_bytes(free)} are free; "
            "make room, start from a folder on another disk, or take fewer checkpoints (schedule.late=...) or probes "
            "(probe.size=...)"
        )


def explain_full_disk(config: Config, run: RunDirectory) -> str:
    """One message for a run that the disk was too small for: where, what it still takes, and what to do."""
    needed, free = disk_bytes(config), shutil.disk_usage(ROOT).free
    more = "what it still takes is not known" if needed is None else (
        f"it takes about {describe_bytes(max(needed - size_on_disk(run.path), LEAST))} more"
    )  # fmt: skip
    return (
        f"{run.path.resolve()}: the disk is full ({describe_bytes(free)} are free; {more}); the run ended as KILLED. "
        "Make room, or move multirun/ to a larger disk; the same command then goes on"
    )


def size_on_disk(folder: Path) -> int:
    """Bytes of all files below a folder, where another process may be at work."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.lstat().st_size if path.is_file() else 0
    return total
