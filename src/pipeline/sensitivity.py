"""The findings of a run once more, from its own table: on half of the probes, the last blocks, by the second metric."""

from __future__ import annotations

import pandas as pd

from ..config import SECOND_METRIC
from ..findings import run_findings, summarize_agreement
from ..findings.finding import RunFindings
from ..measure.rounding import average_without
from ..metrics.derived import layers_below_floor
from ..metrics.second import split_table
from ..metrics.selection import layers_of, select

HALVED = ("velocity", "naive_velocity", "drift", "distance_change", "displacement", "rigid_share")
"""What is measured on each half of the probes; other samples are of random movements."""
MIN_LAYERS = 3
"""Layers below which there is no last third of them."""


def find_sensitivity(table: pd.DataFrame, found: RunFindings) -> str:
    """Which findings do not hang on one choice, in words; nothing if there is nothing to compare.

    Args:
        table: of the run, floors applied.
        found: its findings.
    """
    if not any(k >= 0 for _, k in found):
        return ""
    variants = {way: run_findings(part) for way, part in _variants(table).items()}
    return summarize_agreement({"as asked for": found} | variants) if variants else ""


def _variants(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    first, second = split_table(table)
    layers = layers_of(first)
    found = {"half of the probes": _halve(first)}
    if len(layers) >= MIN_LAYERS:
        kept = set(layers[-(len(layers) // 3) :]) - set(layers_below_floor(first))
        if kept:
            found["the last third of the blocks"] = average_without(first, sorted(set(layers) - kept))
    if len(second):
        found[f"{SECOND_METRIC} distances"] = second
    return {way: part for way, part in found.items() if len(part)}


def _halve(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the mean over the halves of the probes in the place of the value on all of them.

    What was not measured on halves is left out, the excess among it; so is everything where there are no halves.
    """
    place = ["step", "layer", "dimension", "quantity"]
    halves = select(table, HALVED, part="sample")
    means = halves.groupby(place, as_index=False).value.mean()
    whole = select(table, HALVED).drop(columns="value").merge(means, on=place)
    if whole.empty:
        return whole
    whole[["low", "high"]] = float("nan")
    # How alike neighbouring steps are, how noisy they are and how they were trained hangs on no half.
    kept = table[table.quantity.isin(["step_noise", "learning_rate"]) | (table.pair_step >= 0)]
    return pd.concat([whole, halves, kept], ignore_index=True)
