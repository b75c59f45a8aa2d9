"""The whole command on a tiny random model of each family, several in one sweep: seconds each."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from safetensors.numpy import load_file

from src.rundir import RunDirectory
from src.rundir.state import load_config
from tests.support.families import FAMILIES, ODD, make_family
from tests.support.processes import run_module
from tests.support.runs import all_runs

FEW = [
    "experiment=smoke", "model=local", "objective.dialogues=embedded", "trainer.max_steps=3", "trainer.batch_size=4",
    "trainer.warmup_steps=1", "trainer.learning_rate=0.01", "trainer.max_length=96", "schedule.early=1",
    "schedule.late=2", "schedule.repeats=1",
    "probe.size=12", "objective.eval_size=4", "tda.subsamples=2", "tda.null_draws=2", "trainer.progress=false",
    "adapter.dropout=0.05",
]  # fmt: skip
ALWAYS = ["qwen3", "gpt2", "mixtral", "mamba", "falcon_h1"]
"""Five that differ: in CI. The others by `pytest -m families`."""
SECONDS = 3000
"""That a sweep over the others may take where many share a machine."""
OTHERS = [name for name in [*FAMILIES, *ODD] if name not in ALWAYS]


def run_families(names: list[str], folder: Path) -> dict[str, RunDirectory]:
    for name in names:
        make_family(name, folder / name)
    sweep = ["-m", f"model.path={','.join(str(folder / name) for name in names)}"]
    done = run_module("src.run", *FEW, *sweep, cwd=folder, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return {Path(load_config(run).model.path).name: run for run in all_runs(folder)}


@pytest.fixture(scope="module")
def always(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunDirectory]:
    return run_families(ALWAYS, tmp_path_factory.mktemp("always"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunDirectory]:
    return run_families(OTHERS, tmp_path_factory.mktemp("others"))


def check_run(run: RunDirectory) -> None:
    """Done, every tensor of the adapter moved, the topology of every block is in the table."""
    assert run.read_status()["state"] == "done"
    saved = [step for step in sorted(run.steps()) if run.adapter(step).is_dir()]
    first, last = (load_file(run.adapter(step) / "adapter_model.safetensors") for step in (saved[0], saved[-1]))
    still = [name for name in first if (first[name] == last[name]).all()]
    assert first.keys() == last.keys()
    assert still == []
    table = pd.read_parquet(run.table)
    velocity = table[(table.quantity == "velocity") & (table.step == 0)]
    assert {"layer_01", "layer_02", "layer_03"} <= set(velocity.layer)
    assert velocity.value.gt(0).any()
    kl = table[table.quantity == "kl_to_base"].sort_values("step").value
    assert kl.iloc[0] == 0 < kl.iloc[-1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ALWAYS)
def test_the_command_runs_on_families_that_differ(always: dict[str, RunDirectory], name: str) -> None:
    check_run(always[name])
    assert "LoRA rank 8 on " in always[name].log.read_text()


@pytest.mark.families
@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("name", OTHERS)
def test_the_command_runs_on_every_other_family(others: dict[str, RunDirectory], name: str) -> None:
    check_run(others[name])
