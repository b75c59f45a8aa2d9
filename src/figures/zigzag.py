"""All layers at once: what goes on from layer to layer, over training and at its end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..metrics.selection import select, steps_by_layer
from ..metrics.table import LAYER_DISTANCE, MEAN, ZIGZAG
from .panels import Figure, Heat, Panel

SHOWN = {
    f"{ZIGZAG}births": "births' relative frequency",
    f"{ZIGZAG}persistence": "inter-layer persistence",
    LAYER_DISTANCE: "distance to the next block",
}
"""Quantities that are drawn over training, and what they are called."""


def draw_zigzag(table: pd.DataFrame, layers: Sequence[str], images: Sequence[np.ndarray]) -> Figure:
    """Heat maps of layer x step, and the effective persistence image of the last checkpoint, a row a dimension.

    Args:
        table: of the run.
        layers: of the images.
        images: (layers, layers + 1) by homology dimension: first layer of a bar, first layer that lacks it.
    """
    rows = [
        [*(_over_training(table, quantity, k) for quantity in SHOWN), _image_panel(layers, image, k)]
        for k, image in enumerate(images)
    ]
    return Figure(
        "zigzag", "What goes on from block to block", rows,
        "Clusters (H0) and loops (H1) of the neighbourhood graphs, followed from each block to the next by zigzag "
        "persistence. In the image, which is of the last checkpoint, how many begin at a block and last for how many.",
    )  # fmt: skip


def _over_training(table: pd.DataFrame, quantity: str, k: int) -> Panel:
    title = f"{SHOWN[quantity]}, H{k}"
    if select(table, quantity, k).empty:  # another dimension than the method measures, or no bar anywhere
        return Panel(f"{title}: not measured", "optimizer step", "block", [])
    values = steps_by_layer(table, quantity, k).drop(columns=MEAN, errors="ignore")
    heat = Heat(f"H{k}", [str(step) for step in values.index], list(values.columns), values.to_numpy().T)
    top = f"up to {np.nanmax(heat.z):.3g}"
    return Panel(f"{title}, {top}", "optimizer step (checkpoints, not to scale)", "block", [heat])


def _image_panel(layers: Sequence[str], image: np.ndarray, k: int) -> Panel:
    """Bars by the block that they begin at and the number of blocks that they last for; where none can be, nothing."""
    count = len(layers)
    lasting = np.full((count, count), np.nan)
    for first in range(count):
        lasting[: count - first, first] = np.log10(1 + image[first, first + 1 :])
    names = [name.removeprefix("layer_") for name in layers]
    heat = Heat(f"H{k}", names, [str(blocks) for blocks in range(1, count + 1)], lasting)
    title = f"persistence image, H{k}, log, up to {image.max()}"
    return Panel(title, "block that a bar begins at", "blocks that it lasts for", [heat])
