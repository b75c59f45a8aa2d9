"""What is advised can be measured: the series of the advised steps has the checkpoints and pairs that were meant."""

from __future__ import annotations

import pytest

from src.config import RequestError, ScheduleConfig
from src.config.schema import AUTO
from src.config.track import AdviseConfig, complete_schedule
from src.series.advice import advise, steps_to_save


@pytest.mark.parametrize("repeats", [1, 2])
@pytest.mark.parametrize(("steps", "checkpoints", "lag"), [(2000, 20, 1), (300, 12, 4), (100_000, 50, 1), (24, 5, 1)])
def test_advised_steps_give_at_least_so_many_checkpoints_with_pairs(
    steps: int, checkpoints: int, lag: int, repeats: int
) -> None:
    saved = steps_to_save(AdviseConfig(steps, checkpoints, lag, repeats))
    assert saved[0] == 0
    assert saved[-1] <= steps
    found = complete_schedule(ScheduleConfig(kind="list", lag=lag), saved)
    assert len(found.steps) >= checkpoints
    assert all(step + lag in saved for step in found.steps)
    if lag == 1 and steps > 24:
        assert complete_schedule(ScheduleConfig(kind="list", lag=AUTO), saved).lag == lag


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(RequestError, match="lag=9"):
        steps_to_save(AdviseConfig(8, 2, 9, 1))
    with pytest.raises(RequestError, match="checkpoints=30: only 10 fit"):
        steps_to_save(AdviseConfig(10, 30, 1, 1))


def test_the_advice_can_be_pasted() -> None:
    lines = list(advise(AdviseConfig(2000, 20)))
    scope: dict = {}
    exec("\n".join(lines), scope)
    assert scope["STEPS"] == set(steps_to_save(AdviseConfig(2000, 20)))
