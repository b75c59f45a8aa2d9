"""Random updates of the trained weights: as large as the real ones, at the right checkpoints, and without a trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from src.clouds.store import read_clouds, write_clouds
from src.config.resolve import resolve_config
from src.config.schedule import Schedule, plan_schedule
from src.rundir import RunDirectory
from src.system.signals import SignalHandler
from src.training.fit import fit
from src.training.inputs import RunHooks, load_inputs
from src.training.network import Network
from src.training.weight_null import Tensors, WeightNull, copy_trained, draw_update
from tests.support.builders import RIPS, composed
from tests.support.networks import make_network

SCHEDULE = Schedule((0, 2, 4, 6), 1, 1)
MOVED = {0: 0.01, 2: 0.03, 4: 0.02, 6: 0.01}
"""Displacement of each checkpoint."""
X = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def network() -> Network:
    return make_network("embedded:tiny")


def train(network: Network, size: float = 0.01) -> None:
    """One step of something that moves all tensors of the adapter but one."""
    for n, (_, tensor) in enumerate(trained(network)):
        if n:
            tensor.data += size * torch.ones_like(tensor)


def trained(network: Network) -> list[tuple[str, torch.nn.Parameter]]:
    return [(name, tensor) for name, tensor in network.model.named_parameters() if tensor.requires_grad]


def null_of(
    network: Network, run: RunDirectory, draws: int = 2, steps: list[int] | None = None
) -> tuple[WeightNull, list[Tensors]]:
    """What is tested, and the weights of each capture that it asks for."""
    seen: list[Tensors] = []

    def capture() -> dict[str, np.ndarray]:
        seen.append(copy_trained(network))
        return {"layer_01": X}

    tda = replace(RIPS, weight_draws=draws, weight_steps=steps)
    return WeightNull(tda, SCHEDULE, network, run, "hash", capture), seen


def go(null: WeightNull, network: Network, steps: Sequence[int]) -> None:
    """Training passes by these steps; the clouds move as `MOVED` says."""
    for step in steps:
        train(network)
        if step in SCHEDULE.captured:
            cloud = X if step in MOVED else X * (1 + MOVED[step - 1])
            write_clouds(null.run.clouds(step), {"layer_01": cloud}, step=step, probe_hash="hash")
            null.process_step(step)


def steps_with_draws(run: RunDirectory) -> dict[int, int]:
    return {step: len(run.weight_clouds(step)) for step in run.steps() if run.weight_clouds(step)}


def test_an_update_has_the_length_of_the_real_one_and_a_random_direction() -> None:
    start = {"a": torch.ones(30, 20), "b": torch.zeros(7), "c": torch.full((3,), 2.0)}
    lengths, before = {"a": 0.5, "b": 2.0, "c": 0.0}, torch.random.get_rng_state()
    one, again, other = (dict(draw_update(start, lengths, seed)) for seed in ("x 0 0", "x 0 0", "x 0 1"))
    for name, length in lengths.items():
        assert torch.equal(one[name], again[name])
        assert float((one[name] - start[name]).norm()) == pytest.approx(length, rel=1e-5)
    assert torch.equal(one["c"], start["c"]), "it did not move"
    first, second = (update["a"] - start["a"] for update in (one, other))
    assert abs(float((first * second).sum())) < 0.2 * 0.25
    assert torch.equal(torch.random.get_rng_state(), before)


def test_by_default_the_first_the_last_and_each_that_moves_further(network: Network, tmp_path: Path) -> None:
    null, _ = null_of(network, RunDirectory(tmp_path))
    go(null, network, range(8))
    assert steps_with_draws(null.run) == {0: 2, 2: 2, 6: 2}
    assert null.starts == {}


def test_only_the_checkpoints_that_were_asked_for(network: Network, tmp_path: Path) -> None:
    null, _ = null_of(network, RunDirectory(tmp_path), draws=3, steps=[4])
    go(null, network, range(8))
    assert steps_with_draws(null.run) == {4: 3}
    none, captures = null_of(network, RunDirectory(tmp_path / "none"), draws=0)
    go(none, network, range(8))
    assert captures == []


def test_each_draw_starts_from_the_checkpoint_and_leaves_the_weights_as_they_were(
    network: Network, tmp_path: Path
) -> None:
    null, captures = null_of(network, RunDirectory(tmp_path), steps=[2])
    go(null, network, [0, 1, 2])
    start = copy_trained(network)
    go(null, network, [3])
    arrived = copy_trained(network)
    assert all(torch.equal(arrived[name], tensor) for name, tensor in trained(network))
    assert not torch.equal(captures[0][next(reversed(start))], captures[1][next(reversed(start))])
    for draw in captures:
        for name, tensor in start.items():
            real, drawn = (float((end[name] - tensor).double().norm()) for end in (arrived, draw))
            assert drawn == pytest.approx(real, rel=1e-3)


def test_the_weights_come_back_if_a_capture_fails(network: Network, tmp_path: Path) -> None:
    null, _ = null_of(network, RunDirectory(tmp_path), steps=[0])
    go(null, network, [0])

    def fail() -> dict[str, np.ndarray]:
        raise ValueError("no")

    null.capture = fail
    train(network)
    before = copy_trained(network)
    with pytest.raises(ValueError, match="no"):
        null.process_step(1)
    assert all(torch.equal(before[name], tensor) for name, tensor in trained(network))


def test_weights_that_did_not_move_are_not_drawn(network: Network, tmp_path: Path) -> None:
    null, captures = null_of(network, RunDirectory(tmp_path))
    for step in (0, 1):
        write_clouds(null.run.clouds(step), {"layer_01": X}, step=step, probe_hash="hash")
        null.process_step(step)
    assert captures == []


@pytest.mark.parametrize("stop", [2, 3])
def test_a_saved_state_goes_on_with_the_same_choice_and_the_same_draws(
    network: Network, tmp_path: Path, stop: int
) -> None:
    """Stopped between the two steps of a pair, and after them."""
    beginning = copy_trained(network)
    whole, drawn = null_of(network, RunDirectory(tmp_path / "whole"))
    go(whole, network, range(8))
    for name, tensor in trained(network):
        tensor.data.copy_(beginning[name])
    stopped, before = null_of(network, RunDirectory(tmp_path / "stopped"))
    go(stopped, network, range(stop + 1))
    torch.save(stopped.state_dict(), tmp_path / "state")
    resumed, after = null_of(network, stopped.run)
    resumed.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    go(resumed, network, range(stop + 1, 8))
    assert steps_with_draws(resumed.run) == steps_with_draws(whole.run)
    for ours, theirs in zip(before + after, drawn, strict=True):
        assert all(torch.equal(ours[name], tensor) for name, tensor in theirs.items())


@pytest.mark.parametrize("words", [("adapter.dropout=0.1",), ("adapter=full", "trainer.learning_rate=1e-4")])
def test_training_goes_on_as_without_them(words: tuple[str, ...], tmp_path: Path) -> None:
    """Pairs that overlap, with dropout, and where every weight is trained."""
    words += ("schedule=list", "schedule.steps=[0,1,2]", "schedule.lag=2", "schedule.repeats=1")
    ends: list[dict[str, torch.Tensor]] = []
    losses: list[list[float]] = []
    for draws in (0, 2):
        config = resolve_config(
            composed("experiment=smoke", "trainer.max_steps=5", "trainer.progress=false", "probe.size=8",
                     "objective.eval_size=2", *words, f"tda.weight_draws={draws}")
        )  # fmt: skip
        inputs, run, seen = load_inputs(config), RunDirectory(tmp_path / str(draws)), []
        hooks = RunHooks(
            lambda _: None, lambda values, _, seen=seen: seen.append(values.get("behavior/train_loss", 0.0)),
            SignalHandler(),
        )  # fmt: skip
        fit(config, inputs, plan_schedule(config.schedule, 5), run, hooks)
        ends.append({name: tensor.clone() for name, tensor in inputs.network.model.state_dict().items()})
        losses.append(seen)
    assert losses[0] == losses[1]
    assert all(torch.equal(ends[1][name], tensor) for name, tensor in ends[0].items())
    assert steps_with_draws(run)[0] == 2
    drawn = [read_clouds(path) for path in run.weight_clouds(0)]
    assert list(drawn[0]) == list(read_clouds(run.clouds(0)))
    assert not np.array_equal(drawn[0]["layer_03"], drawn[1]["layer_03"])
