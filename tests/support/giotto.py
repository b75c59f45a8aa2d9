"""Tests of what needs giotto-tda, which is not installed where there are no wheels of it."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

HAS_GIOTTO = find_spec("gtda") is not None
needs_giotto = pytest.mark.skipif(not HAS_GIOTTO, reason="giotto-tda is not installed")
WITHOUT_GIOTTO = ["cech", "h2", "layers", "vietoris_rips"]
"""Methods that run without it."""
LIBRARIES = ["giotto", "gudhi"] if HAS_GIOTTO else ["gudhi"]
"""Engines that compute everything."""
