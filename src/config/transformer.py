"""What the configuration of a TDA transformer implies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import PACKAGE

OWN_PREFIXES = ("src.", "topotrace.")
"""How a `_target_` of this package may begin: in a clone, and where a wheel was installed. Both mean the same."""


def parts_of(nested: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a nested configuration, the outermost first."""
    if isinstance(nested, dict):
        yield nested
        nested = list(nested.values())
    if isinstance(nested, list):
        for value in nested:
            yield from parts_of(value)


def importable(nested: Any) -> Any:
    """The configuration with targets of this package under the name that it was imported as here."""
    if isinstance(nested, dict):
        return {key: _imported_as(value) if key == "_target_" else importable(value) for key, value in nested.items()}
    return [importable(value) for value in nested] if isinstance(nested, list) else nested


def _imported_as(target: Any) -> Any:
    is_ours = isinstance(target, str) and target.startswith(OWN_PREFIXES)
    return f"{PACKAGE}.{target.partition('.')[2]}" if is_ours else target


class Method:
    """Read off `transformer`, `takes`, `points` and `rtd_points`; `TdaConfig` has them as fields."""

    transformer: dict[str, Any] | None
    takes: str | None
    points: int | None
    rtd_points: int

    @property
    def dimensions(self) -> tuple[int, ...]:
        """Homology dimensions that the transformer, or the part of it that computes homology, is asked for."""
        asked = [part["homology_dimensions"] for part in parts_of(self.transformer) if "homology_dimensions" in part]
        if not asked:
            return (0, 1)
        return tuple(asked[0]) if isinstance(asked[0], (list, tuple)) else (asked[0],)  # a lone one is refused later

    @property
    def is_plain_rips(self) -> bool:
        """Whether the transformer is Rips over Z/2 without further parameters, which any engine may compute."""
        given = {key: value for key, value in (self.transformer or {}).items() if key != "homology_dimensions"}
        default = {"_target_": "gtda.homology.VietorisRipsPersistence", "metric": "precomputed"}
        return given.pop("coeff", 2) == 2 and given == default

    @property
    def costly_dimension(self) -> int:
        """Highest dimension whose simplices all count for memory: 0 where the complex grows about linearly."""
        sparse = ("SparseRipsPersistence", "WeakAlphaPersistence", "CechPersistence")
        return 0 if str((self.transformer or {}).get("_target_")).endswith(sparse) else max(self.dimensions)

    def count_points(self, rows: int) -> int:
        """Points of a diagram, of so many probes."""
        return min(self.points or rows, rows)

    def measures_rtd(self, rows: int) -> bool:
        """Whether the topology divergence of clouds of so many probes is measured."""
        return self.is_plain_rips and 1 in self.dimensions and self.count_points(rows) <= self.rtd_points

    @property
    def takes_distances(self) -> bool:
        """Whether the transformer is given pairwise distances instead of points."""
        default = "distances" if (self.transformer or {}).get("metric") == "precomputed" else "points"
        return (self.takes or default) == "distances"
