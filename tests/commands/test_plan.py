"""`python -m src.plan`: one table, nothing written, and the same words refused as by the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.processes import Command


@pytest.mark.slow
def test_a_plan_has_all_parts_and_writes_nothing(command: Command, tmp_path: Path) -> None:
    words = ("-m", "seed=0,1", "trainer.max_steps=12", "probe.size=24", "tda.subsamples=2", "tda.null_draws=2")
    done = command("src.plan", *words)
    assert done.returncode == 0, done.stderr
    for part in ("texts", "memory", "weights", "activations", "disk", "a step", "a checkpoint", "in all", "H200"):
        assert part in done.stdout
    assert "read off the dialogues" in done.stdout
    assert done.stdout.count("tiny, helpful, lora") == 2, "one for each cell of a sweep"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and ".cache" not in path.parts]


def test_a_wrong_word_is_refused_as_by_the_run(command: Command) -> None:
    plan, run = (command(name, "trainer.max_step=3") for name in ("src.plan", "src.run"))
    assert (plan.returncode, plan.stderr) == (2, run.stderr)
