"""Runs that cannot be compared are refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.config import RequestError
from src.metrics.table import COLUMNS
from tests.support.planted import FEW, Planted, compare, plant_run, plant_table

OLD = plant_table(Planted(**FEW)).drop(columns="pair_step").assign(pair="1")  # type: ignore[arg-type]
WRONG: dict[str, tuple[list[dict[str, object]], list[str]]] = {
    # sweep: its runs, what the message must say
    "lonely": ([{}], ["tiny helpful seed0 is the only finished one", "nothing to compare"]),
    "failed": ([{"status": "FAILED"}] * 2, ["none of the runs is finished"]),
    "probes": (
        [{}, {"seed": 1, "tags": {"probe_hash": "beef" * 16}}],
        ["different probe prompts", "5eed5eed5eed: tiny helpful seed0", "beefbeefbeef: tiny helpful seed1"],
    ),
    "metrics": (
        [{}, {"seed": 1, "params": {"tda.metric": "cosine"}}],
        ["tda.metric", "cosine: tiny helpful seed1", "euclidean: tiny helpful seed0"],
    ),
    "twice": (
        [{"params": {"trainer.lr_schedule": name}} for name in ("constant", "linear")],
        ["tiny helpful seed0: 2 runs of this cell", "params.trainer.lr_schedule = '...'"],
    ),
    "apart": ([{"steps": (0, 2, 4)}, {"seed": 1, "steps": (1, 3, 5)}], ["share no checkpoint", "0, 2, 4", "1, 3, 5"]),
    "old": ([{}, {"seed": 1, "table": OLD}], ["no column pair_step", "unknown column pair", "src.analyze run="]),
    "none": ([{}, {"seed": 1, "table": OLD.head(0)[[]].reindex(columns=list(COLUMNS))}], ["no velocity was measured"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_compared_is_refused_by_name(inside: Path, name: str) -> None:
    runs, named = WRONG[name]
    for made in runs:
        table = made.get("table")
        given = FEW | {key: value for key, value in made.items() if key != "table"}
        plant_run(Planted(**given, local=False), sweep=name, table=table, bars=0)  # type: ignore[arg-type]
    with pytest.raises(RequestError) as refused:
        compare(sweep=name)
    for part in named:
        assert part in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
