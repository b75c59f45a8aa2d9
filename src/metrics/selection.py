"""Parts of the long table by what they are: the one place that knows what -1 and "" stand for in its columns."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from .table import MEAN, Part


def select(
    table: pd.DataFrame, quantity: str | Collection[str] | None = None, dimension: int | None = None,
    layer: str | None = None, *, part: Part | None = "checkpoint",
) -> pd.DataFrame:  # fmt: skip
    """The rows of some quantities, in the order of the table.

    Args:
        table: long form, as in `topology.parquet`.
        quantity: one quantity or several; None: all.
        dimension: a homology dimension, -1 for what has none; None: all.
        layer: `layer_01`, ..., or `mean`, "" for what has none; None: all.
        part: `checkpoint`, one value a checkpoint, over all probes and averaged over its pairs; `pair`, each pair by
            itself, over all probes; `sample`, each random half of the probes or random movement, averaged over the
            pairs. None: all.
    """
    # Integers first: words take fifty times as long to compare, and most rows are of samples.
    kept = np.ones(len(table), dtype=bool)
    if part is not None:
        kept &= (table.pair_step.to_numpy() >= 0) == (part == "pair")
        kept &= (table["sample"].to_numpy() >= 0) == (part == "sample")
    if dimension is not None:
        kept &= table.dimension.to_numpy() == dimension
    places = np.flatnonzero(kept)
    if quantity is not None:
        wanted = [quantity] if isinstance(quantity, str) else list(quantity)
        places = places[table.quantity.take(places).isin(wanted).to_numpy()]
    if layer is not None:
        places = places[(table.layer.take(places) == layer).to_numpy()]
    return table.take(places)


def select_curve(table: pd.DataFrame, quantity: str, dimension: int = -1, layer: str = MEAN) -> pd.DataFrame:
    """The rows of one quantity at the checkpoints, in the order of the steps."""
    return select(table, quantity, dimension, layer).sort_values("step")


def steps_by_layer(table: pd.DataFrame, quantity: str, dimension: int = -1) -> pd.DataFrame:
    """(steps, layers) values at the checkpoints; the mean over the layers is a column like them."""
    return select(table, quantity, dimension).pivot_table(index="step", columns="layer", values="value").sort_index()


def is_measured(table: pd.DataFrame, quantity: str, dimension: int | None = None) -> bool:
    """Whether the table has any row of the quantity."""
    return not select(table, quantity, dimension, part=None).empty


def steps_of(table: pd.DataFrame, quantity: str) -> list[int]:
    """The steps at which a quantity was measured, ascending."""
    return sorted(set(select(table, quantity, part=None).step))


def dimensions_of(table: pd.DataFrame, *quantities: str) -> list[int]:
    """The homology dimensions that quantities were measured in, ascending."""
    return sorted(set(select(table, quantities, part=None).dimension) - {-1})


def layers_of(table: pd.DataFrame) -> list[str]:
    """The single layers of a table, in their order."""
    return sorted(set(table.layer) - {"", MEAN})


def overall_layer(table: pd.DataFrame) -> str:
    """The layer that statements about a whole run speak of: the mean, or the only one there is."""
    layers = set(table.layer) - {""}
    return MEAN if MEAN in layers or len(layers) != 1 else layers.pop()
