"""From what Hydra composed to plain dataclasses that were checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omegaconf import DictConfig, OmegaConf

from .adapter import complete_adapter
from .commands import REMOVABLE, AnalyzeConfig, CleanConfig, CompareConfig, DoctorConfig, SyncConfig, UiConfig
from .conflicts import (
    config_conflicts,
    proxy_conflicts,
    schedule_conflicts,
    size_conflicts,
    tda_conflicts,
    track_conflicts,
)
from .limits import outside_limits
from .references import wrong_references
from .schema import RANDOM, Config, ModelConfig, TdaConfig
from .setting import RequestError
from .track import CALLBACK, AdviseConfig, TrackConfig

MAX_PROBLEM = 1000
"""Characters of a message about one key."""


def resolve_ui_config(composed: DictConfig) -> UiConfig:
    """As `resolve_config`, for `python -m src.ui`."""
    _refuse_incomplete(composed)
    config: UiConfig = _to_dataclass(composed, UiConfig)
    _refuse([*outside_limits(config, ""), *proxy_conflicts(config.ui)])
    return config


def resolve_doctor_config(composed: DictConfig) -> DoctorConfig:
    """As `resolve_config`, for `python -m src.doctor`."""
    _refuse_incomplete(composed)
    config: DoctorConfig = _to_dataclass(composed, DoctorConfig)
    _refuse(outside_limits(config, ""))
    return config


def resolve_sync_config(composed: DictConfig) -> SyncConfig:
    """As `resolve_config`, for `python -m src.sync`."""
    _refuse_incomplete(composed)
    config: SyncConfig = _to_dataclass(composed, SyncConfig)
    _refuse(outside_limits(config, ""))
    return config


def resolve_clean_config(composed: DictConfig) -> CleanConfig:
    """As `resolve_config`, for `python -m src.clean`."""
    _refuse_incomplete(composed)
    config: CleanConfig = _to_dataclass(composed, CleanConfig)
    unknown = [kind for kind in config.what if kind not in REMOVABLE]
    wrong = [f"what={config.what}: must be some of {', '.join(REMOVABLE)}"] if unknown or not config.what else []
    _refuse([*outside_limits(config, ""), *wrong])
    return config


def resolve_comparison(composed: DictConfig) -> CompareConfig:
    """As `resolve_config`, for `python -m src.compare`."""
    _refuse_incomplete(composed)
    config: CompareConfig = _to_dataclass(composed, CompareConfig)
    given = [key for key in ("sweep", "runs", "filter") if getattr(config, key)]
    one = "give one of sweep=<name>, runs=[<directory or MLflow id>,...] and filter='<MLflow search filter>'"
    unclear = [] if len(given) == 1 else [f"{', '.join(given) or 'nothing to compare'}: {one}"]
    _refuse([*outside_limits(config, ""), *unclear])
    return config


def resolve_analysis(composed: DictConfig) -> AnalyzeConfig:
    """As `resolve_config`, for `python -m src.analyze`."""
    _refuse_incomplete(composed)
    config: AnalyzeConfig = _to_dataclass(composed, AnalyzeConfig)
    nothing = ["tda=none: measures nothing; choose a method"] if config.tda.transformer is None else []
    _refuse(_all_problems(outside_limits(config, ""), tda_conflicts(config.tda), nothing))
    return config


def resolve_config(composed: DictConfig) -> Config:
    """The composed configuration as plain dataclasses, complete and within its limits.

    Raises:
        RequestError: naming every key that is missing, out of range or in conflict, all at once.
    """
    _refuse_incomplete(composed)
    config = complete_config(composed)
    _refuse(_all_problems(outside_limits(config, ""), config_conflicts(config), tda_conflicts(config.tda)))
    return config


def _all_problems(limits: Iterable[str], *conflicts: Iterable[str]) -> list[str]:
    """Everything that is wrong; of a value outside of its limits, what follows from it may not be computable."""
    found = list(limits)
    for problems in conflicts:
        try:
            found += problems
        except (ValueError, TypeError, OverflowError):
            if not found:
                raise
    return found


def _refuse(problems: Iterable[str]) -> None:
    found = [_shortened(problem) for problem in problems]
    if found:
        raise RequestError("\n".join(found))


def _shortened(problem: str) -> str:
    """The key in front and what to do at the end, whatever the length of the value between them."""
    return (
        problem if len(problem) <= MAX_PROBLEM else f"{problem[: MAX_PROBLEM // 2]} ... {problem[-MAX_PROBLEM // 2 :]}"
    )


def _refuse_incomplete(composed: DictConfig, but: str = "") -> None:
    _refuse(wrong_references(composed))
    _refuse(f"{key} is not set: give {key}=..." for key in sorted(OmegaConf.missing_keys(composed) - {but}))


def _to_dataclass(composed: DictConfig, schema: type) -> Any:
    # Merging into the schema once more refuses what `+key=value` smuggled in: nothing would read it.
    # What interpolations come to is held against the schema as well: a typed node takes any.
    merged = OmegaConf.merge(OmegaConf.structured(schema), OmegaConf.to_container(composed, resolve=True))
    for key in OmegaConf.missing_keys(merged):
        OmegaConf.update(merged, key, "")
    return OmegaConf.to_object(merged)


def resolve_track(composed: DictConfig) -> TrackConfig:
    """As `resolve_config`, for `python -m src.track` and the callbacks; a series that was saved has its own steps."""
    _refuse_incomplete(composed, but="model.path")  # by default it is read off the checkpoints
    config = complete_config(composed, TrackConfig)
    assert isinstance(config, TrackConfig)
    given = config.track.checkpoints
    config.track.checkpoints = [given] if isinstance(given, str) else given
    planned = schedule_conflicts(config) if config.track.source == CALLBACK else []
    limits = outside_limits(config, "")
    if OmegaConf.is_missing(composed.model, "path"):
        limits = (problem for problem in limits if not problem.startswith("model.path="))
    _refuse(_all_problems(limits, track_conflicts(config), tda_conflicts(config.tda), planned))
    return config


def resolve_advice(composed: DictConfig) -> AdviseConfig:
    """As `resolve_config`, for `python -m src.track advise`."""
    _refuse_incomplete(composed)
    config: AdviseConfig = _to_dataclass(composed, AdviseConfig)
    _refuse(outside_limits(config, ""))
    return config


def complete_config(composed: DictConfig, schema: type[Config] = Config) -> Config:
    """The composed configuration with the defaults that hang on other groups filled in; nothing is checked."""
    config: Config = _to_dataclass(composed, schema)
    complete_model(config.model)
    config.objective.dialogues = config.objective.dialogues or (
        "hh_rlhf" if config.objective.data_dir else config.model.dialogues
    )
    if config.trainer.learning_rate is None:
        config.trainer.learning_rate = config.model.learning_rate
    complete_draws(config.tda, config.model)
    complete_adapter(config.adapter)
    if config.trainer.micro_batch_size is None:
        config.trainer.micro_batch_size = config.trainer.batch_size
    return config


def complete_model(model: ModelConfig) -> None:
    """Random weights go by another name everywhere: no table, chart or comparison can take them for the model."""
    if model.weights == RANDOM:
        model.name += "" if model.name.endswith(f"-{RANDOM}") else f"-{RANDOM}"
        model.stage, model.twin, model.dialogues = RANDOM, None, "embedded"


def complete_draws(tda: TdaConfig, model: ModelConfig) -> None:
    """Fill in the numbers of subsamples and null draws that were not given."""
    tda.subsamples = model.draws if tda.subsamples is None else tda.subsamples
    tda.null_draws = model.draws if tda.null_draws is None else tda.null_draws


def check_size(tda: TdaConfig, rows: int) -> None:
    """Raises RequestError if so many probes are too few, or their diagrams may not fit into memory."""
    _refuse(size_conflicts(tda, rows))
