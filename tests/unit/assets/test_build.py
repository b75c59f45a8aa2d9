"""What is shipped is what its generator makes."""

from __future__ import annotations

from pathlib import Path


def test_embedded_dialogues_are_what_the_generator_makes(tmp_path: Path) -> None:
    from src.assets import ASSETS
    from src.assets.build.__main__ import write_dialogues

    write_dialogues(tmp_path)
    for made in tmp_path.rglob("*.gz"):
        assert made.read_bytes() == (ASSETS / "dialogues" / made.relative_to(tmp_path)).read_bytes()
