"""How many processes can train together on the devices that there are."""

from __future__ import annotations

import pytest
import torch

from src.config import Config, RequestError, TrainerConfig
from src.system.machine import usable_cores
from src.system.placement import Placement
from src.training.device import count_processes

CORES = len(usable_cores())


def count(placement: Placement | None = None, **settings: object) -> int:
    return count_processes(Config(trainer=TrainerConfig(batch_size=64, **settings)), placement or Placement())


def test_as_many_as_asked_for_or_started() -> None:
    assert count(strategy="single") == 1
    assert count(strategy="ddp", devices=1) == 1
    if not torch.cuda.is_available():
        assert count(Placement(0, 64, launcher="srun"), strategy="ddp") == 64, "each has cores of its own"


@pytest.mark.skipif(torch.cuda.is_available(), reason="the messages are those without a GPU")
def test_more_processes_than_devices_are_refused() -> None:
    with pytest.raises(RequestError, match=rf"trainer\.devices={CORES + 1}: there is no GPU, and {CORES} core"):
        count(strategy="ddp", devices=CORES + 1)
    with pytest.raises(RequestError, match=r"trainer\.strategy=ddp: there is no GPU; give trainer\.devices="):
        count(strategy="ddp")


def test_a_step_that_cannot_be_divided_among_those_that_were_started_is_refused() -> None:
    three = Placement(0, 3 * 32, launcher="torchrun")
    with pytest.raises(RequestError, match=r"trainer\.batch_size=64: cannot be divided among 96 processes"):
        count(three, strategy="ddp", nodes=96)
