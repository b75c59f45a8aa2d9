"""What a callback is given, as the configuration of a run: composed from `conf/`, the same checks and defaults."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from ..config import RequestError
from ..config.guest import compose_with, composing
from ..config.limits import NAME, NAME_RULE
from ..config.resolve import resolve_track
from ..config.schema import AUTO
from ..config.track import CALLBACK, UNTRAINED, TrackConfig
from ..rundir import ROOT
from ..system.files import replacing

CALLBACK_LAG = 1
"""Optimizer steps between the captures of a pair, where nothing else is asked for."""


@dataclass(frozen=True)
class Settings:
    """What all callbacks have in common; see `TopologyObserver`."""

    probes: Sequence[str] | str | Path | None = None
    tda: str = "vietoris_rips"
    steps: Sequence[int] | str | None = None
    objective: str = UNTRAINED
    model: str | None = None
    run: str | None = None
    config: Mapping[str, Any] | DictConfig | None = None


def compose_request(settings: Settings, model_name: str, model_path: str, stage: str, total_steps: int) -> TrackConfig:
    """The checked configuration of one training.

    Raises:
        RequestError: if something in it is wrong.
    """
    if isinstance(total_steps, bool) or not isinstance(total_steps, int) or total_steps < 1:
        raise RequestError(
            f"total_steps={total_steps}: give the number of optimizer steps that the training takes, over which the "
            "checkpoints are planned (max_steps of a trainer)"
        )
    if settings.run is not None and not (isinstance(settings.run, str) and NAME.fullmatch(settings.run)):
        raise RequestError(f"run={settings.run}: must be {NAME_RULE}")
    schedule = "list" if settings.steps is not None and not isinstance(settings.steps, str) else settings.steps
    words = [f"tda={settings.tda}", f"schedule={schedule or 'dense_early'}"]
    with composing(TrackConfig, settings.config):
        facts = _facts(settings, model_name, model_path, stage, total_steps)
        composed = compose_with("track", TrackConfig, words, settings.config, facts)
        if OmegaConf.select(composed, "schedule.lag") == AUTO:
            OmegaConf.update(composed, "schedule.lag", CALLBACK_LAG)
        return resolve_track(composed)


def _facts(settings: Settings, name: str, path: str, stage: str, total_steps: int) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "model.name": settings.model or name, "model.path": path, "model.stage": stage,
        "objective.name": settings.objective, "trainer.max_steps": total_steps, "track.source": CALLBACK,
    }  # fmt: skip
    if settings.steps is not None and not isinstance(settings.steps, str):
        facts["schedule.steps"] = [int(step) for step in settings.steps]
    return facts | facts_of_probes(settings.probes)


def facts_of_probes(probes: Sequence[str] | str | Path | None) -> dict[str, Any]:
    """Values by key for prompts, or the file of them, that a user gives; a list is kept as a file.

    Raises:
        RequestError: if a prompt is none, or empty.
    """
    if probes is None:
        return {}
    if isinstance(probes, (str, Path)):
        return {"probe.file": str(probes)}
    prompts = list(dict.fromkeys(probes))
    return {"probe.file": str(_keep_prompts(prompts)), "probe.size": len(prompts)}


def _keep_prompts(prompts: Sequence[str]) -> Path:
    """The file that holds these prompts, by their content: with it `python -m src.track` reads the same ones."""
    if not all(isinstance(prompt, str) and prompt.strip() for prompt in prompts):
        raise RequestError("probes: give a list of prompts that are not empty, or the path of a file")
    text = "".join(json.dumps({"prompt": prompt}, ensure_ascii=False) + "\n" for prompt in prompts)
    file = ROOT / "probes" / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.jsonl"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as partial:
            partial.write_text(text, encoding="utf-8")
    return file


def name_of_model(path: str, kind: str) -> str:
    """What the runs of a model are called: the last part of where it came from, else its class."""
    return re.sub(r"[^\w.-]+", "_", Path(path).name if path else kind).lstrip("_.-")[:100] or "model"
