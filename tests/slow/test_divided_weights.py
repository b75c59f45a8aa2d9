"""`trainer=fsdp`: weights that are divided over two processes train and measure as whole ones do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from peft import PeftModel
from safetensors.numpy import load_file

from src.config import ModelConfig
from src.rundir import RunDirectory
from src.training.loading import load_weights
from tests.support.processes import ENVIRONMENT, ROOT
from tests.support.servers import free_port

WORDS = [
    "experiment=smoke", "trainer.max_steps=4", "trainer.warmup_steps=1", "schedule.repeats=1", "schedule.early=2",
    "schedule.dense_windows=0", "schedule.late=1", "probe.size=16", "probe.batch_size=5", "objective.eval_size=4",
    "objective.eval_pairs=2", "trainer.progress=false", "trainer.precision=float32", "tda.weight_draws=2",
]  # fmt: skip
DIVIDED = ["trainer=fsdp", "trainer.devices=2", "trainer.gradient_checkpointing=true"]


def fit(folder: Path, world: int, *words: str) -> tuple[RunDirectory, dict[str, dict[str, float]]]:
    port = str(free_port())
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.together", str(folder), str(rank), str(world), port, *WORDS, *words],
            cwd=ROOT, env=os.environ | ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(world)
    ]  # fmt: skip
    for process in processes:
        _, error = process.communicate(timeout=300)
        assert process.returncode == 0, error
    return RunDirectory(folder), json.loads((folder / "logged.json").read_text())


@pytest.mark.slow
def test_divided_weights_give_losses_and_clouds_of_whole_ones_and_the_adapter_is_saved_whole(tmp_path: Path) -> None:
    one, alone = fit(tmp_path / "one", 1)
    two, divided = fit(tmp_path / "two", 2, *DIVIDED)
    assert alone.keys() == divided.keys()
    for step, values in alone.items():
        assert divided[step].keys() == values.keys()
        names = [name for name in values if name.startswith("behavior/") and name != "behavior/kl_to_base"]
        np.testing.assert_allclose(*[[each[step][name] for name in names] for each in (divided, alone)], rtol=1e-5)
    files = sorted(
        path.relative_to(one.path) for path in one.path.rglob("*.safetensors") if "adapter" not in path.parts
    )
    assert [path for path in files if path.parts[1] == "random_updates"], "random updates of the weights as well"
    for path in files:
        clouds, others = load_file(one.path / path), load_file(two.path / path)
        for layer, cloud in clouds.items():
            assert np.abs(cloud - others[layer]).max() <= 1e-5 * np.abs(cloud).max(), (path, layer)
    first, last = (load_file(two.adapter(step) / "adapter_model.safetensors") for step in (0, 3))
    assert first.keys() == load_file(one.adapter(3) / "adapter_model.safetensors").keys()
    assert [name for name in first if np.array_equal(first[name], last[name])] == [], "every tensor is trained"
    base = load_weights(ModelConfig(name="tiny", path="embedded:tiny"), "auto")
    loaded = PeftModel.from_pretrained(base, two.adapter(3)).state_dict()
    assert all(np.array_equal(loaded[name.replace(".weight", ".default.weight")], last[name]) for name in last)
