"""`python -m src.plan`: one table, nothing written, and the same words refused as by the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.processes import Command


@pytest.mark.slow
def test_a_plan_has_all_parts_and_writes_nothing(command: Command, tmp_path: Path) -> None:
    done = command("src.plan", "trainer.max_steps=12", "probe.size=24", "tda.subsamples=2", "tda.null_draws=2")
    assert done.returncode == 0, done.stderr
    for part in ("texts", "memory", "weights", "activations", "disk", "a step", "a checkpoint", "in all", "H200"):
        assert part in done.stdout
    assert "read off the dialogues" in done.stdout
    assert not list(tmp_path.rglob("config.yaml"))
    assert not (tmp_path / "multirun").exists() or not list((tmp_path / "multirun").iterdir())


def test_a_wrong_word_is_refused_as_by_the_run(command: Command) -> None:
    plan, run = (command(name, "trainer.max_step=3") for name in ("src.plan", "src.run"))
    assert (plan.returncode, plan.stderr) == (2, run.stderr)
