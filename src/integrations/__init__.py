"""Topology of a model while somebody else's loop trains it: for transformers and TRL, Lightning, and a loop by hand."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .lightning import TopologyLightningCallback as TopologyLightningCallback
    from .observer import TopologyObserver as TopologyObserver
    from .trainer import TopologyCallback as TopologyCallback

_PLACES = {"TopologyCallback": "trainer", "TopologyLightningCallback": "lightning", "TopologyObserver": "observer"}


def __getattr__(name: str) -> Any:
    """Each when it is asked for: who trains with one library need not wait for the other."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__} has no attribute {name}; it has {', '.join(_PLACES)}")
    return getattr(import_module(f".{_PLACES[name]}", __name__), name)
