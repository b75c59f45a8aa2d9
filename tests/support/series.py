"""Series of checkpoints as trainers leave them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from src.assets import ASSETS
from src.config import ModelConfig, TrackingConfig
from src.config.schema import ProbeConfig
from src.config.track import SeriesConfig, TrackConfig
from tests.support.builders import RIPS

WEIGHTS = {"model.embed": (8, 4), "model.head": (4, 8)}

PROMPTS = [f"{who} {did} {what}." for who in ("The cat", "A dog", "My friend") for did in ("saw", "liked")
           for what in ("the park", "a tree", "the moon", "a house")]  # fmt: skip
"""Twenty-four of them."""


def write_checkpoint(
    folder: Path, *, step: int | None = None, shapes: dict[str, tuple[int, ...]] = WEIGHTS, tokens: str = "a",
    adapter: dict[str, object] | None = None,
) -> Path:  # fmt: skip
    """A folder with weights of these shapes, as the Trainer of transformers writes one."""
    folder.mkdir(parents=True)
    arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    save_file(arrays, folder / ("model.safetensors" if adapter is None else "adapter_model.safetensors"))
    if adapter is None:
        (folder / "config.json").write_text("{}")
    else:
        (folder / "adapter_config.json").write_text(json.dumps(adapter))
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": tokens}, "padding": folder.name}))
    if step is not None:
        (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return folder


def asked(path: str = "", **track: object) -> TrackConfig:
    """What is asked of a series, with a method that measures quickly."""
    config = TrackConfig(track=SeriesConfig(**track))  # type: ignore[arg-type]
    config.model = ModelConfig(name="model", path=path, stage="pretrained", dialogues="embedded")
    config.tda, config.probe = RIPS, ProbeConfig(size=24)
    config.tda.subsamples = config.tda.null_draws = 0
    config.tda.workers = 1
    config.objective.name, config.schedule.kind, config.schedule.lag = "none", "list", "auto"
    config.tracking = TrackingConfig(patience=5)
    return config


TINY = str(ASSETS / "tiny")
