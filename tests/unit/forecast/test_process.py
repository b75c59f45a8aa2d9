"""What a computation takes of the memory of this process."""

from __future__ import annotations

import pytest
import torch

from src.forecast.process import STATUS, STORE, process_bytes, watch_memory

pytestmark = pytest.mark.skipif(not STATUS.is_file(), reason="nobody says here")


def test_what_was_taken_and_given_back_is_seen() -> None:
    with watch_memory(torch.device("cpu")) as taken:
        torch.ones(50_000_000).sum()
    assert not taken or taken[0] == pytest.approx(2e8, rel=0.3)


def test_a_model_elsewhere_shares_no_memory_with_the_process() -> None:
    assert process_bytes(True) == 0.0
    assert process_bytes(False) > STORE
