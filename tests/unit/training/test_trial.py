"""A trial leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from src.clouds.capture import Cloud
from src.clouds.store import read_clouds
from src.config.resolve import resolve_config
from src.config.schedule import plan_schedule
from src.rundir import RunDirectory
from src.system.signals import SignalHandler
from src.training.fit import fit
from src.training.inputs import RunHooks, load_inputs
from src.training.trial import run_trial
from tests.support.builders import composed

WORDS = ("experiment=smoke", "trainer.max_steps=4", "adapter.dropout=0.1", "trainer.progress=false", "schedule.early=2")


def losses(folder: Path, *, trial: bool) -> tuple[list[float], dict[int, dict[str, Cloud]]]:
    """Training losses of a run, after a trial or without, and the clouds that the trial saw."""
    config = resolve_config(composed(*WORDS))
    inputs, logged, seen = load_inputs(config), {}, {}

    def inspect(step: int, clouds: dict[str, Cloud], references: dict[str, Cloud]) -> bool:
        assert clouds.keys() == references.keys()
        seen[step] = clouds
        return step == 2

    if trial:
        before = {name: tensor.clone() for name, tensor in inputs.network.model.state_dict().items()}
        run_trial(config, inputs, [0, 1, 2, 4], inspect, SignalHandler())
        assert all(torch.equal(tensor, before[name]) for name, tensor in inputs.network.model.state_dict().items())
    hooks = RunHooks(
        lambda step: None, lambda values, step: logged.setdefault(step, {}).update(values), SignalHandler()
    )
    fit(config, inputs, plan_schedule(config.schedule, 4), RunDirectory(folder), hooks)
    return [logged[step]["behavior/train_loss"] for step in range(4)], seen


def test_a_run_after_a_trial_is_the_run_without_it_and_the_trial_was_that_run(tmp_path: Path) -> None:
    plain, _ = losses(tmp_path / "plain", trial=False)
    after, seen = losses(tmp_path / "after", trial=True)
    assert after == plain
    assert sorted(seen) == [0, 1, 2], "2 was enough"
    for step, clouds in seen.items():
        stored = read_clouds(RunDirectory(tmp_path / "after").clouds(step))
        assert all(np.array_equal(stored[layer], cloud) for layer, cloud in clouds.items())
