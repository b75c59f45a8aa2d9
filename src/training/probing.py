"""The probes read with the model as it is now: in the arithmetic asked for, and some of them in full float32."""

from __future__ import annotations

from collections.abc import Sequence

from ..clouds.arithmetic import choose_arithmetic
from ..clouds.capture import Cloud, capture_clouds
from ..clouds.floor import reference_rows
from ..clouds.passes import Divide, compute_all
from ..config import ProbeConfig
from ..data.probes import ProbeSet
from .network import Network


def capture_probes(
    network: Network, layers: Sequence[int], probes: ProbeSet, settings: ProbeConfig, divide: Divide = compute_all
) -> tuple[dict[str, Cloud], Cloud]:
    """Clouds by layer, and the states at the prompts' last tokens; see `capture_clouds`."""
    return capture_clouds(
        network.trunk, network.blocks, layers, probes.ids, pooling=settings.pooling, batch_size=settings.batch_size,
        # Where training computes is known only once it has begun.
        arithmetic=choose_arithmetic(settings.precision, next(network.trunk.parameters()).device), divide=divide,
    )  # fmt: skip


def capture_reference(
    network: Network, layers: Sequence[int], probes: ProbeSet, settings: ProbeConfig, divide: Divide = compute_all
) -> dict[str, Cloud]:
    """(m, D) clouds of the `reference_rows` in full float32, by layer.

    Other prompts share a pass, so that padding and order of summation differ where the arithmetic does not.
    """
    prompts = [probes.ids[row] for row in reference_rows(len(probes.ids))]
    clouds, _ = capture_clouds(
        network.trunk, network.blocks, layers, prompts, pooling=settings.pooling,
        batch_size=max(1, settings.batch_size // 2 + 1), arithmetic="float32", divide=divide,
    )  # fmt: skip
    return clouds
