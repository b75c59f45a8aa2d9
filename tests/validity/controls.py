"""Each control: what is planted, what is measured of it, and what must hold over many trials."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from . import across, base, courses, layers, pairs, series, stopping, updates
from .answer import Answer, Results

Trial = Callable[[np.random.Generator], dict[str, float]]


@dataclass(frozen=True)
class Control:
    planted: str
    trial: Trial
    assess: Callable[[Results], Iterator[Answer]]


CONTROLS: dict[str, Control] = {
    "walk": Control("stationary walk", partial(courses.walk_trial, rank=None), courses.judge_walk),
    "walk_rank10": Control("stationary walk of rank 10", partial(courses.walk_trial, rank=10), courses.judge_walk),
    "burst": Control("burst of structured change at a known step", courses.burst_trial, courses.judge_burst),
}
for _name in ("dense_early", "every_2", "every_5"):
    CONTROLS[f"correlated_{_name}"] = Control(
        f"velocities that are alike from step to step (0.8) and have no course, schedule {_name}",
        partial(series.level_trial, name=_name), series.judge_level,
    )  # fmt: skip
for _noise, _spread in (("quiet", series.QUIET), ("loud", series.LOUD)):
    # How much is found in loud series is reported: that is the power of a run with twenty checkpoints.
    _least = 0.9 if _spread == series.QUIET else 0.0
    for _fall in (1.3, 2.0):
        CONTROLS[f"declines_{_noise}_{_fall:g}"] = Control(
            f"such velocities that decline evenly, {_fall:g} x as fast at the start, {100 * _spread:.0f} % of noise",
            partial(series.decline_trial, fall=_fall, spread=_spread), partial(series.judge_decline, least=_least),
        )  # fmt: skip
    CONTROLS[f"early_excess_{_noise}"] = Control(
        f"an excess of 1.5 in the first tenth of the steps, then of 1, {100 * _spread:.0f} % of noise",
        partial(series.excess_trial, early=1.5, spread=_spread), partial(series.judge_change, least=_least),
    )  # fmt: skip
CONTROLS["level_excess"] = Control(
    "an excess of 1, with noise that is alike from step to step",
    partial(series.excess_trial, early=1.0, spread=series.LOUD), series.judge_no_change,
)  # fmt: skip
CONTROLS["burst_of_two"] = Control(
    "a burst that two neighbouring of eighteen checkpoints see, 6 x as fast",
    partial(series.burst_trial, fold=6.0), series.judge_burst,
)  # fmt: skip
for _noise, _spread in (("quiet", series.QUIET), ("loud", series.LOUD)):
    CONTROLS[f"stop_level_{_noise}"] = Control(
        f"trainer.stop: velocity and excess that level off early, {100 * _spread:.0f} % of noise",
        partial(stopping.level_trial, spread=_spread),
        partial(stopping.judge_stops, least=0.9 if _spread == series.QUIET else 0.0),
    )  # fmt: skip
    CONTROLS[f"stop_decline_{_noise}"] = Control(
        f"trainer.stop: both fall by the band, 2 x, over the checkpoints looked at, {100 * _spread:.0f} % of noise",
        partial(stopping.decline_trial, spread=_spread), stopping.judge_never,
    )  # fmt: skip
CONTROLS["stop_walk"] = Control(
    "trainer.stop: the level is a random walk; false where it moved by more than the band",
    stopping.walk_trial, stopping.judge_never,
)  # fmt: skip
for _points, _width in ((512, 128), (256, 128), (256, 2048)):
    for _rank in (None, 10):
        for _uneven in (False, True):
            _name = f"random_{_points}x{_width}_{'rank10' if _rank else 'isotropic'}_{'uneven' if _uneven else 'even'}"
            CONTROLS[_name] = Control(
                f"random movement, N = {_points}, D = {_width}, {'rank 10' if _rank else 'isotropic'}, "
                f"{'uneven' if _uneven else 'even'} lengths",
                partial(pairs.chance_trial, points=_points, width=_width, rank=_rank, uneven=_uneven),
                pairs.judge_chance,
            )
for _points, _width in ((512, 128), (256, 128), (256, 2048)):
    CONTROLS[f"smooth_{_points}x{_width}"] = Control(
        f"random smooth field, N = {_points}, D = {_width}",
        partial(pairs.smooth_trial, points=_points, width=_width), pairs.judge_smooth,
    )  # fmt: skip
for _points in (256, 512):
    for _width in (128, 1024, 4096):
        for _share in (1, 3, 10):
            CONTROLS[f"power_{_points}x{_width}_{_share}"] = Control(
                f"clusters contract on a smooth background, {_share} % of the squared movement, N = {_points}, "
                f"D = {_width}",
                partial(pairs.power_trial, points=_points, width=_width, share=_share / 100), pairs.judge_power,
            )  # fmt: skip
CONTROLS["rounding"] = Control(
    "updates of the embedded model's adapter from far below to above rounding, read in bfloat16",
    updates.rounding_trial, updates.judge_rounding,
)  # fmt: skip
CONTROLS["update_tiny"] = Control(
    "random update of a LoRA adapter of the embedded model, N = 256",
    partial(updates.update_trial, model="tiny"), updates.judge_update,
)  # fmt: skip
if updates.STORIES.is_dir():
    CONTROLS["update_stories"] = Control(
        "the same of a really trained model of 260K parameters, N = 256",
        partial(updates.update_trial, model="stories"), updates.judge_update,
    )  # fmt: skip
for _kind, _sign, _name in (
    ("clusters", 1, "clusters contract"), ("clusters", -1, "clusters expand"),
    ("neighbours", 1, "nearest neighbours attract"), ("neighbours", -1, "nearest neighbours repel"),
):  # fmt: skip
    CONTROLS[_name.replace(" ", "_")] = Control(
        f"{_name}, distance change 0.003", partial(pairs.structure_trial, kind=_kind, sign=_sign), pairs.judge_structure
    )
CONTROLS |= {
    "outliers": Control(
        "clusters contract, beside two coordinates 100 x as wide that only jitter",
        pairs.outliers_trial, pairs.judge_outliers,
    ),
    "one_cluster": Control(
        "one cluster moves as a whole", partial(pairs.blind_trial, kind="cluster"), pairs.judge_blind
    ),
    "loop_opens": Control("a loop slowly opens", partial(pairs.blind_trial, kind="loop"), pairs.judge_blind),
    "divergence_one_cluster": Control(
        "one cluster moves as a whole: topology divergence",
        partial(base.few_bars_trial, kind="cluster"), base.judge_few_bars,
    ),
    "divergence_loop_opens": Control(
        "a loop slowly opens: topology divergence", partial(base.few_bars_trial, kind="loop"), base.judge_few_bars
    ),
    "other_neighbour": Control(
        "one cluster goes from one neighbour to another", partial(base.same_shape_trial, kind="cluster"),
        base.judge_same_shape,
    ),
    "gap_moves": Control(
        "the gap of an open loop goes to its other side", partial(base.same_shape_trial, kind="loop"),
        base.judge_same_shape,
    ),
    "no_change": Control("the same points read twice, with errors", base.unchanged_trial, base.judge_unchanged),
    "small_change": Control(
        "a smooth field, clusters that contract: distance change 0.003, errors as large",
        base.changed_trial, base.judge_changed,
    ),
    "birth_layer": Control(
        "half of the points change places at one layer of 8", partial(layers.birth_trial, planted=True),
        layers.judge_birth,
    ),
    "no_birth_layer": Control(
        "points that move alike from layer to layer, 8 layers", partial(layers.birth_trial, planted=False),
        layers.judge_no_birth,
    ),
    "loop_closes": Control("an arc is closed at one layer of 8", layers.closing_trial, layers.judge_closing),
    "learning_rate": Control(
        "displacement peak without structure, learning rate known",
        partial(courses.schedule_trial, reported=True), partial(courses.judge_schedule, right="learning_rate"),
    ),
    "displacement": Control(
        "displacement peak without structure, learning rate unknown",
        partial(courses.schedule_trial, reported=False), partial(courses.judge_schedule, right="displacement"),
    ),
    "rigid": Control("translation, rotation, uniform scaling", pairs.rigid_trial, pairs.judge_rigid),
    "interval": Control("the interval, many samples of one distribution", pairs.coverage_trial, pairs.judge_coverage),
    "shuffled": Control(
        "the same objective under different seeds, labels shuffled within them",
        across.shuffled_trial, across.judge_shuffled,
    ),
    "two_objectives": Control(
        "two objectives with different planted drift, 6 seeds", across.planted_trial, across.judge_planted
    ),
    "seeds": Control(
        "seeds that shift trajectories by 1 sd, objectives by none or 1 sd", across.seeds_trial, across.judge_seeds
    ),
    "explained": Control(
        "trajectories that behaviour explains wholly, or not at all", across.explained_trial, across.judge_explained
    ),
}  # fmt: skip


def run_trial(name: str, number: int) -> dict[str, float]:
    """One trial, the same whenever it is asked for."""
    return CONTROLS[name].trial(np.random.default_rng([int.from_bytes(name.encode()[:8], "big"), number]))


def run_task(task: tuple[str, int]) -> tuple[str, int, dict[str, float]]:
    """A trial as a worker process is told of it, and what it gives back."""
    return *task, {name: float(value) for name, value in run_trial(*task).items()}


def collect(trials: list[dict[str, float]]) -> Results:
    return {key: np.array([trial[key] for trial in trials], dtype=np.float64) for key in trials[0]}
