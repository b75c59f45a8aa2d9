"""How much memory a diagram, and copies of the weights, may take, and whether a request asks for more than there is."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..system.machine import (
    GIB,
    address_space_gb,
    free_memory_gb,
    machine_memory_gb,
    usable_cores,
    used_address_space_gb,
)
from .schedule import Schedule
from .schema import TdaConfig

# Peaks of giotto-ph over a sphere, where every simplex stays in the filtration: 63 bytes an edge (H1, 4,096 points),
# 97 a triangle (H2, 400 points). Clouds of activations take less, H2 of them a tenth; what may happen is what counts.
_BYTES_PER_SIMPLEX = {1: 64, 2: 100}

_DISTANCE_COPIES = 6
"""float64 (n, n) arrays alive at once while distances are made and handed over."""


def diagram_memory_gb(points: int, dimension: int) -> float:
    """GiB that one diagram may take at its peak.

    Args:
        points: number of points.
        dimension: highest homology dimension; a bar of dimension k is looked for among the (k + 1)-subsets.
    """
    simplices = math.comb(points, dimension + 1) * _BYTES_PER_SIMPLEX.get(dimension, 100 if dimension else 0)
    return (simplices + _DISTANCE_COPIES * 8 * points**2) / GIB


def cloud_memory_gb(points: int, width: int) -> float:
    """GiB of a (points, width) cloud and of the copies, in float64, that its distances are made from."""
    return 4 * 8 * points * width / GIB


def max_points(gb: float, dimension: int) -> int:
    """The largest number of points whose diagram fits into `gb` GiB."""
    low, high = 0, 1
    while diagram_memory_gb(high, dimension) <= gb:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if diagram_memory_gb(middle, dimension) <= gb else (low, middle)
    return low


def count_workers(tda: TdaConfig) -> int:
    """Worker processes: as asked, else half the cores."""
    return tda.workers or max(1, len(usable_cores()) // 2)


def memory_shortage(tda: TdaConfig, rows: int, width: int = 0) -> Iterator[str]:
    """What is wrong if the diagram of a cloud may not fit into one worker's share of the memory.

    Args:
        rows: probes captured.
        width: coordinates of each; 0 while they are not known.
    """
    points, top = tda.count_points(rows), tda.costly_dimension
    limit, workers = tda.max_memory_gb or machine_memory_gb() / 2, count_workers(tda)
    needed = diagram_memory_gb(points, top) + cloud_memory_gb(points, width)
    if needed * workers > limit:
        yield (
            f"tda.points={points}: H{top} of {points} points{f' of {width} coordinates' if width else ''} may take "
            f"{needed:.2f} GiB in each of tda.workers={workers}, tda.max_memory_gb={limit:.2f}; at most "
            f"{max_points(limit / workers, top)} points fit"
        )
    elif tda.measures_rtd(rows) and diagram_memory_gb(2 * points, 1) * workers > limit:
        yield (
            f"tda.rtd_points={tda.rtd_points}: topology divergence of {points} points is H1 of {2 * points}, which may "
            f"take {diagram_memory_gb(2 * points, 1):.2f} GiB in each of tda.workers={workers}, "
            f"tda.max_memory_gb={limit:.2f}; set it below {points} to leave that out"
        )


def describe_fit(tda: TdaConfig, rows: int) -> str:
    """How many points fit, for a worker that had too little memory for a diagram of so many probes.

    What is free now is what there is when the worker that wanted more is gone; never as many points as it had.
    """
    points, top = tda.count_points(rows), tda.costly_dimension
    free = min(tda.max_memory_gb or math.inf, free_memory_gb()) / count_workers(tda)
    free = min(free, max(0.0, address_space_gb() - used_address_space_gb()))
    fitting = min(max_points(free, top), points * 3 // 4)
    return (
        f"H{top} of {points} points was too much for {free:.2f} GiB in each of tda.workers={count_workers(tda)}; about "
        f"{fitting} points fit (tda.points={fitting})"
    )


def count_weight_copies(schedule: Schedule, tda: TdaConfig) -> int:
    """Copies of the trained weights alive at once where random updates of them are made.

    The model's own, what training arrived at, and one for each checkpoint whose first pair has not ended.
    """
    starts = [step for step in schedule.checkpoints if tda.weight_steps is None or step in tda.weight_steps]
    ends = {start: schedule.pairs(start)[0][1] for start in starts}
    return 2 + max((sum(start <= step < ends[start] for start in starts) for step in starts), default=0)


def weight_copies_shortage(schedule: Schedule, tda: TdaConfig, weights_gb: float) -> Iterator[str]:
    """What is wrong if the copies that random updates of all weights need do not fit into the memory that is free."""
    copies, free = count_weight_copies(schedule, tda), free_memory_gb()
    if copies * weights_gb > free:
        yield (
            f"tda.weight_draws={tda.weight_draws}: with adapter=full {copies} copies of the weights are kept at once, "
            f"{copies * weights_gb:.1f} GiB, and {free:.1f} GiB of memory are free; take adapter=lora, or leave it out"
        )
