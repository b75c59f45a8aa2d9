"""`python -m src.track` as a function."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra import compose

from .. import PACKAGE
from ..config import Config
from ..config.guest import Settings, compose_with, composing
from ..config.resolve import resolve_track
from ..config.track import TrackConfig
from ..integrations.settings import facts_of_probes
from ..track import compose_baseline, track_request
from .progress import show_bar, show_none
from .result import TrackedRun

if TYPE_CHECKING:
    from ..pipeline.observer import Observer


def track_checkpoints(
    checkpoints: str | Path | Sequence[str | Path] | None = None, *, base: str | Path | None = None,
    probes: Sequence[str] | str | Path | None = None, model: str | None = None, objective: str | None = None,
    tda: str = "vietoris_rips", overrides: Sequence[str] = (), config: Settings = None, progress: bool = True,
) -> TrackedRun:  # fmt: skip
    """Topology of a series of checkpoints that somebody saved: as `python -m src.track`, the same run and directory.

        tracked = track_checkpoints("out/checkpoint-*", base="out/start", probes=prompts)

    Args:
        checkpoints: folders or `.ckpt` files: a pattern, or several. None where `overrides` name revisions.
        base: the model that is step 0, where the series has none.
        probes: prompts whose activations are read, or a file of them; a list is kept as `multirun/probes/<hash>.jsonl`.
            By default held-out prompts of HH-RLHF, from the hub.
        model, objective: names, for tables and the place of the directory.
        tda: a method of `conf/tda/`.
        overrides: words of the command line: `["model=pythia1b", "track.revisions=[step0,step1]"]`.
        config: further settings as `conf/track.yaml` has them: `{"tda.null_draws": 6}`, or a Hydra node.
        progress: show a bar.

    Returns:
        Table, findings, figures and note, and where they are. What an earlier call or command did is not done again.

    Raises:
        ValueError: if the request is wrong, as the command's message says.
        RuntimeError: if a checkpoint could not be measured, or another process is at work in the directory.
    """
    request, baseline = _request(
        [f"tda={tda}", *overrides], config, _facts(checkpoints, base, probes, model, objective)
    )
    logging.getLogger(PACKAGE).setLevel(logging.INFO)
    show = show_bar if progress else show_none
    with ExitStack() as stack:

        def watch(observer: Observer) -> None:
            bar = stack.enter_context(show(len(observer.schedule.checkpoints), "checkpoints measured"))
            observer.on_measured(bar.update)

        run = track_request(request, baseline, is_guest=True, watch=watch)
    return TrackedRun.of_directory(run)


def _request(words: Sequence[str], config: Settings, facts: dict[str, Any]) -> tuple[TrackConfig, Config]:
    """The checked request, and what stands for its defaults in the name of the directory."""
    with composing(TrackConfig, config):
        request = resolve_track(compose_with("track", TrackConfig, words, config, facts))
        choices = compose("track", list(words), return_hydra_config=True).hydra.runtime.choices
        return request, compose_baseline(choices)


def _facts(
    checkpoints: str | Path | Sequence[str | Path] | None, base: str | Path | None,
    probes: Sequence[str] | str | Path | None, model: str | None, objective: str | None,
) -> dict[str, Any]:  # fmt: skip
    """What was given, by its key."""
    facts: dict[str, Any] = {"model.name": model, "objective.name": objective}
    if checkpoints is not None:
        several = [checkpoints] if isinstance(checkpoints, (str, Path)) else list(checkpoints)
        facts["track.checkpoints"] = [str(path) for path in several]
    if base is not None:
        facts["track.base"] = str(base)
    return {key: value for key, value in facts.items() if value is not None} | facts_of_probes(probes)
