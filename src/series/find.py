"""Which checkpoints a request means, in the order of their steps, and whether they are of one training."""

from __future__ import annotations

import glob
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..config import RequestError
from ..config.adapter import CONFIG as ADAPTER_CONFIG
from ..config.track import TrackConfig, complete_schedule, name_steps
from .checkpoint import Checkpoint, Shapes, read_kind, read_shapes, read_step
from .content import digest_weights
from .revisions import find_revision

SOURCES = {"model": "checkpoints", "adapter": "adapters", "lightning": "lightning"}
"""What a series of each kind is called."""


@dataclass(frozen=True)
class Series:
    checkpoints: dict[int, Checkpoint]
    """By step, ascending."""
    source: str
    """`checkpoints`, `adapters`, `lightning` or `revisions`."""
    base: str = ""
    """The model that adapters say they stand on."""

    @property
    def steps(self) -> list[int]:
        return list(self.checkpoints)

    @property
    def first(self) -> Checkpoint:
        return next(iter(self.checkpoints.values()))

    def tokenizer_path(self, model: str) -> str:
        """Where the tokenizer is; `model`: the model that the series is of."""
        return str(self.first.path) if self.source == "revisions" else model

    @property
    def kind(self) -> str:
        return self.first.kind


def complete_track(config: TrackConfig, series: Series) -> TrackConfig:
    """The request with what the series says filled in: model, steps, schedule.

    Raises:
        RequestError: if it does not say it, or lacks what was asked for.
    """
    path = config.model.path or series.base or (str(series.first.path) if series.kind == "model" else "")
    if not path:
        raise RequestError(
            f"model.path is not set: {series.first.named} does not say which model it is of; give its folder or hub id"
        )
    has_base = config.track.base is not None or series.kind == "adapter"
    steps = sorted({*series.steps, *([0] if has_base else [])})
    if len(steps) < 2:
        raise RequestError(
            f"track.checkpoints: only {name_steps(steps)}, so nothing moves; give more checkpoints, or "
            "track.base=<model>"
        )
    return replace(
        config,
        model=replace(config.model, path=path),
        schedule=complete_schedule(config.schedule, steps),
        trainer=replace(config.trainer, max_steps=steps[-1]),
        track=replace(config.track, steps=steps, source=series.source, content=digest_weights(series.checkpoints)),
    )


def find_series(config: TrackConfig) -> Series:
    """The checkpoints that are asked for, found to fit together.

    Raises:
        RequestError: if one is none, has no step, or is of another training than the others.
    """
    track = config.track
    if track.revisions:
        if not config.model.path:
            raise RequestError("model.path is not set: give the hub model that the revisions are of")
        found = [read_kind(find_revision(config.model.path, name), name, "track.revisions") for name in track.revisions]
    else:
        found = [read_kind(Path(path).expanduser(), path, "track.checkpoints") for path in _expand(track.checkpoints)]
    key = "track.revisions" if track.revisions else "track.checkpoints"
    steps = track.steps or [_step_of(checkpoint, key) for checkpoint in found]
    if len(steps) != len(found):
        raise RequestError(f"track.steps={steps}: {len(steps)} steps of {len(found)} checkpoints; give one for each")
    by_step = _order(found, steps, key)
    _check_kinds(found, key)
    _check_tensors(found, key)
    _check_tokenizers(found, key)
    base = _check_bases(found, key) if found[0].kind == "adapter" else ""
    return Series(by_step, "revisions" if track.revisions else SOURCES[found[0].kind], base)


def _expand(patterns: Sequence[Any]) -> list[str]:
    """Paths that patterns stand for, numbers in their natural order."""
    found: list[str] = []
    for pattern in map(str, patterns):
        path = Path(pattern).expanduser()
        if not glob.has_magic(pattern) or path.exists():
            found.append(pattern)
            continue
        there = sorted(glob.glob(_escape_existing(path)), key=_natural)  # noqa: PTH207 (absolute ones, too)
        if not there:
            raise RequestError(f"track.checkpoints={pattern}: nothing has such a name; give folders of checkpoints")
        found += there
    return found


def _escape_existing(path: Path) -> str:
    """A pattern in which the folders that are there stand for themselves: `out[1]` is a name before it is a pattern."""
    folder = next(parent for parent in path.parents if parent.exists())
    return str(Path(glob.escape(str(folder))) / path.relative_to(folder))


def _natural(path: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path)]


def _step_of(checkpoint: Checkpoint, key: str) -> int:
    step = read_step(checkpoint)
    if step is None:
        raise RequestError(
            f"{key}={checkpoint.named}: says no optimizer step, neither in a trainer_state.json nor in its name; give "
            "track.steps=[...], one for each checkpoint"
        )
    return step


def _order(found: Sequence[Checkpoint], steps: Sequence[int], key: str) -> dict[int, Checkpoint]:
    by_step: dict[int, Checkpoint] = {}
    for step, checkpoint in sorted(zip(steps, found, strict=True), key=lambda pair: pair[0]):
        if step in by_step:
            raise RequestError(
                f"{key}: {by_step[step].named} and {checkpoint.named} are both of step {step}; leave one out, or give "
                "track.steps=[...]"
            )
        by_step[step] = checkpoint
    return by_step


def _check_kinds(found: Sequence[Checkpoint], key: str) -> None:
    common = Counter(checkpoint.kind for checkpoint in found).most_common(1)[0][0]
    for checkpoint in found:
        if checkpoint.kind != common:
            raise RequestError(
                f"{key}={checkpoint.named}: is a checkpoint of kind {checkpoint.kind}, the others {common}"
            )


def _check_tensors(found: Sequence[Checkpoint], key: str) -> None:
    shapes = [read_shapes(checkpoint, key) for checkpoint in found]
    _name_odd(
        found, [_digest(sorted(one.items())) for one in shapes], key, lambda n, m: _differing(shapes[n], shapes[m])
    )


def _differing(own: Shapes, others: Shapes) -> str:
    further, lacking = sorted(own.keys() - others.keys()), sorted(others.keys() - own.keys())
    other = sorted(name for name in own.keys() & others.keys() if own[name] != others[name])
    for what, names in (("lacks", lacking), ("has in another shape or precision", other), ("has besides", further)):
        if names:
            shown = (
                f"{list(own[names[0]])} for {list(others[names[0]])}"
                if what == "has in another shape or precision"
                else ""
            )
            return f"it {what} {names[0]} {shown}".rstrip() + (f" and {len(names) - 1} more" if len(names) > 1 else "")
    return "its tensors differ"


def _check_tokenizers(found: Sequence[Checkpoint], key: str) -> None:
    """Of those that have one; what is stored in it of the last batch, padding and truncation, says nothing."""
    having = [one for one in found if (one.path / "tokenizer.json").is_file()]
    if having:
        digests = [_tokenizer_digest(one.path / "tokenizer.json") for one in having]
        _name_odd(having, digests, key, lambda n, m: "its tokenizer.json is another one")


def _tokenizer_digest(file: Path) -> str:
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        stored = None
    if not isinstance(stored, dict):
        return hashlib.sha256(file.read_bytes()).hexdigest()
    return _digest({name: part for name, part in stored.items() if name not in ("padding", "truncation")})


def _check_bases(found: Sequence[Checkpoint], key: str) -> str:
    """Adapters of one base, made alike; returns the base, empty where they do not say it."""
    configs = [_read_adapter_config(one, key) for one in found]
    bases = [str(one.get("base_model_name_or_path")) for one in configs]
    _name_odd(found, bases, key, lambda n, m: f"stands on {bases[n]}, the others on {bases[m]}")
    names = (
        "peft_type", "r", "lora_alpha", "use_rslora", "use_dora", "fan_in_fan_out", "alpha_pattern", "rank_pattern",
    )  # fmt: skip
    made = [{name: one.get(name) for name in names} for one in configs]
    _name_odd(found, [_digest(one) for one in made], key, lambda n, m: f"its {ADAPTER_CONFIG} is another one")
    return str(configs[0].get("base_model_name_or_path") or "")


def _read_adapter_config(checkpoint: Checkpoint, key: str) -> dict[str, Any]:
    try:
        found = json.loads((checkpoint.path / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RequestError(
            f"{key}={checkpoint.named}: {checkpoint.path / ADAPTER_CONFIG} is damaged, it holds no JSON object; get it "
            "again"
        )
    return found


def _name_odd(found: Sequence[Checkpoint], values: Sequence[str], key: str, explain: Any) -> None:
    """Raises RequestError for the first checkpoint whose value is not that of most."""
    common = values.index(Counter(values).most_common(1)[0][0])
    for n, checkpoint in enumerate(found):
        if values[n] != values[common]:
            raise RequestError(
                f"{key}={checkpoint.named}: is not of the same training as {found[common].named}, "
                f"{explain(n, common)}; leave it out"
            )


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
