"""What a configuration may name as its method."""

from __future__ import annotations

import pytest

from src.config import RequestError
from tests.support.builders import method_of


def test_a_target_hidden_inside_is_held_to_the_whitelist() -> None:
    inside = "+tda.transformer._args_=[{_target_: os.system}]"
    with pytest.raises(RequestError, match=r"os\.system: must begin with"):
        method_of("vietoris_rips", "tda.transformer._target_=sklearn.pipeline.make_pipeline", inside)
