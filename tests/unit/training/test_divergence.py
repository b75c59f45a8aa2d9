"""What is called divergence, and what is not."""

from __future__ import annotations

import logging
import math

import pytest
import torch

from src.training.divergence import DivergedError, DivergenceWatch


@pytest.mark.parametrize(("loss", "norm"), [(math.nan, 1.0), (math.inf, 1.0), (2.0, math.nan), (2.0, math.inf)])
def test_what_is_not_finite_ends_the_run_with_step_rate_and_advice(loss: float, norm: float) -> None:
    watch = DivergenceWatch(stop=True)
    watch.check_step(0, 2.0, 1.0, 1e-3)
    with pytest.raises(DivergedError, match=r"step 7: the loss is .* rate of 0\.001; lower trainer\.learn"):
        watch.check_step(7, loss, norm, 1e-3)


def test_a_loss_ten_times_as_large_for_ten_steps_has_diverged_and_a_spike_has_not() -> None:
    watch = DivergenceWatch(stop=True)
    watch.check_step(0, 2.0, 1.0, 1e-3)
    for step in range(1, 10):
        watch.check_step(step, 21.0, 1.0, 1e-3)
    watch.check_step(10, 19.0, 1.0, 1e-3)  # below again: the count begins anew
    resumed = DivergenceWatch(stop=True)
    for step in range(11, 20):
        watch.check_step(step, 21.0, 1.0, 1e-3)
    resumed.load_state_dict(watch.state_dict())
    with pytest.raises(DivergedError, match="above 10 x its first value"):
        resumed.check_step(20, 21.0, 1.0, 1e-3)


def test_a_weight_that_is_not_finite_is_named() -> None:
    watch, weights = DivergenceWatch(stop=True), {"fine": torch.ones(3), "broken": torch.tensor([1.0, math.inf])}
    watch.check_weights(3, [("fine", weights["fine"])], 1e-3)
    with pytest.raises(DivergedError, match="step 3: the weight broken is not finite"):
        watch.check_weights(3, weights.items(), 1e-3)


def test_a_warning_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    watch = DivergenceWatch(stop=False)
    with caplog.at_level(logging.WARNING):
        for step in range(3):
            watch.check_step(step, math.nan, math.nan, 1e-3)
    assert len(caplog.records) == 1
    assert "training diverged at optimizer step 0" in caplog.text
