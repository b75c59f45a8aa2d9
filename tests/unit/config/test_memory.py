"""What a diagram will take of memory."""

from __future__ import annotations

from src.config.memory import diagram_memory_gb, max_points


def test_memory_grows_with_points_and_dimension_and_says_what_fits() -> None:
    for k in (0, 1, 2):
        fit = max_points(4.0, k)
        assert diagram_memory_gb(fit, k) <= 4.0 < diagram_memory_gb(fit + 1, k)
    assert max_points(4.0, 2) < max_points(4.0, 1) < max_points(4.0, 0)
