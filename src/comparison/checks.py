"""What may be compared: the same probes, measured alike, each cell once; and what is missing from the grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from ..config import Config, RequestError
from ..config.identity import identity_keys
from ..findings import Tracked
from ..metrics.selection import steps_of
from ..system.words import count_of
from .select import StoredRun

MEASURED_BY = (
    "tda.name", "tda.metric", "tda.points", "tda.components", "tda.drop_sinks", "tda.takes", "tda.transformer.",
    "probe.pooling", "schedule.lag",
)  # fmt: skip
"""Parameters, by prefix, that make numbers of two runs different quantities."""
CHOICES = (
    "tda.name", "tda.metric", "tda.points", "tda.components", "tda.drop_sinks", "tda.subsamples", "tda.null_draws",
    "schedule.lag",
)  # fmt: skip
"""Parameters of a measurement that its label names where they differ."""
VARIED = ("model.", "objective.", "seed")
"""Parameters, by prefix, that differ in any comparison."""


def check_comparable(runs: Sequence[StoredRun]) -> None:
    """Refuse finished runs that no statement can be made across.

    Raises:
        RequestError: with the runs, and what is different about them.
    """
    if len(runs) < 2:
        only = f"{runs[0].name} is the only finished one" if runs else "none of the runs is finished"
        raise RequestError(
            f"{only}: there is nothing to compare; two cells can be drawn, statements need several seeds of each"
        )
    probes = _groups(runs, lambda run: run.tags.get("probe_hash", "unknown"))
    if len(probes) > 1:
        message = "; ".join(f"{name[:12]}: {_name(group)}" for name, group in probes.items())
        raise RequestError(
            f"probe_hash: these runs looked at different probe prompts and cannot be compared: {message}"
        )
    for key in _differing(runs, MEASURED_BY):
        message = "; ".join(f"{value}: {_name(group)}" for value, group in _by_value(runs, key).items())
        remedy = "; give all of them one lag (auto chooses one for each run)" if key == "schedule.lag" else ""
        raise RequestError(
            f"{key}: these runs were measured in different ways and cannot be compared: {message}{remedy}"
        )
    for group in _groups(runs, lambda run: run.name).values():
        if len(group) > 1:
            keys = _differing(group, ("",), besides=("tracking.",)) or ["nothing that is a parameter"]
            raise RequestError(
                f"{group[0].name}: {len(group)} runs of this cell, which differ in {', '.join(keys[:5])}; choose one "
                f"of each by runs=[...] or by filter=\"... and params.{keys[0]} = '...'\" (runs "
                f"{', '.join(run.id for run in group)})"
            )


def describe_settings(runs: Sequence[StoredRun]) -> dict[str, dict[str, list[str]]]:
    """Parameter -> value -> names of runs, for what differs besides model, objective and seed."""
    settings = tuple(key for key in identity_keys(Config) if not key.startswith(VARIED))
    keys = _differing(runs, settings)
    return {key: {value: [run.name for run in group] for value, group in _by_value(runs, key).items()} for key in keys}


def label_variants(runs: Sequence[StoredRun]) -> dict[str, StoredRun]:
    """What was chosen otherwise than in the first run -> each run; the first is `as measured`."""
    first, *others = runs
    variants = {"as measured": first}
    for run in others:
        changed = [key for key in CHOICES if run.params.get(key) != first.params.get(key)]
        variant = ", ".join(f"{key}={run.params.get(key)}" for key in changed) or "the same again"
        variants[variant if variant not in variants else f"{variant} ({run.id[:8]})"] = run
    return variants


def describe_steps(runs: Sequence[Tracked]) -> list[str]:
    """A sentence if the runs were measured at different steps, with what they share.

    Raises:
        RequestError: if they share nothing.
    """
    schedules = {run.name: set(steps_of(run.table, "velocity")) for run in runs}
    shared = set.intersection(*schedules.values())
    if not shared:
        message = "; ".join(f"{name}: {_few(sorted(steps))}" for name, steps in list(schedules.items())[:3])
        raise RequestError(f"schedule: these runs share no checkpoint ({message}); compare runs of one schedule")
    if all(steps == shared for steps in schedules.values()):
        return []
    sizes = sorted(map(len, schedules.values()))
    return [
        f"The schedules are unequal, {sizes[0]} to {sizes[-1]} checkpoints: runs are compared at the "
        f"{count_of(len(shared), 'step')} that all of them have ({_few(sorted(shared))})."
    ]


def _few(steps: Sequence[int]) -> str:
    return ", ".join(map(str, steps[:5])) + (f", ... {steps[-1]}" if len(steps) > 5 else "")


def describe_gaps(runs: Sequence[StoredRun]) -> dict[tuple[str, str, int], str]:
    """Cell -> why it is not in the comparison, for every model x objective x seed that is not finished."""
    best = {run.cell: run for run in sorted(runs, key=lambda run: run.done)}
    models, objectives, seeds = zip(*best, strict=True)
    gaps = {}
    for cell in product(sorted(set(models)), sorted(set(objectives)), sorted(set(seeds))):
        if cell not in best:
            gaps[cell] = "missing"
        elif not best[cell].done:
            gaps[cell] = best[cell].reason
    return gaps


def _differing(runs: Sequence[StoredRun], prefixes: tuple[str, ...], besides: tuple[str, ...] = ()) -> list[str]:
    """Parameters that all runs have, not all with the same value."""
    common = sorted(set.intersection(*(set(run.params) for run in runs)))
    chosen = [key for key in common if key.startswith(prefixes) and not (besides and key.startswith(besides))]
    return [key for key in chosen if len({run.params[key] for run in runs}) > 1]


def _groups(runs: Sequence[StoredRun], by: Callable[[StoredRun], str]) -> dict[str, list[StoredRun]]:
    groups: dict[str, list[StoredRun]] = {}
    for run in runs:
        groups.setdefault(by(run), []).append(run)
    return groups


def _by_value(runs: Sequence[StoredRun], key: str) -> dict[str, list[StoredRun]]:
    """Value of a parameter -> the runs that have it."""
    return _groups(runs, lambda run: run.params[key])


def _name(runs: Sequence[StoredRun]) -> str:
    """Three of them, for a message of one line."""
    names = ", ".join(run.name for run in runs[:3])
    return names + (f" and {len(runs) - 3} more" if len(runs) > 3 else "")
