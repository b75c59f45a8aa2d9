"""The really trained stories model on real HH-RLHF dialogues."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.runs import Cell, run_cell

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cells(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cell]:
    words = ["model=local", f"model.path={shared_data}/models/stories260k", f"objective.data_dir={shared_data}/hh-rlhf"]
    words += ["trainer.learning_rate=2e-3", "trainer.max_length=256", "probe.max_length=256"]
    cwd = tmp_path_factory.mktemp("real")
    return {name: run_cell(cwd, *words, f"objective={name}") for name in ("helpful", "harmless", "mixed")}


def test_the_held_out_loss_falls_on_what_was_trained(cells: dict[str, Cell]) -> None:
    for name, cell in cells.items():
        for source in ("helpful", "harmless") if name == "mixed" else (name,):
            history = cell.history(f"behavior/eval_loss_{source}")
            assert history[24] < history[0] - 0.05, (name, source)


def test_the_three_objectives_share_one_probe_set(cells: dict[str, Cell]) -> None:
    assert len({cell.tracked.data.tags["probe_hash"] for cell in cells.values()}) == 1
    base = {name: cell.history("topology/H1/total_persistence/mean")[0] for name, cell in cells.items()}
    assert len(set(base.values())) == 1, "the same prompts through the same base model"


def test_objectives_move_the_model_differently(cells: dict[str, Cell]) -> None:
    assert len({cell.history("drift/H1/mean")[22] for cell in cells.values()}) == 3
