"""What a sweep will take of disk and memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.config import Config, RequestError
from src.config.resolve import resolve_config
from src.config.schedule import plan_schedule
from src.forecast.disk import check_weight_copies, disk_bytes, model_size
from src.system.machine import GIB
from tests.support.builders import CONF, composed, options
from tests.support.processes import Command


def configured(*words: str) -> Config:
    return resolve_config(composed(*words))


def test_what_does_not_fit_on_the_disk_is_refused_before_it_starts(command: Command, tmp_path: Path) -> None:
    words = ("adapter=full", "model.parameters=1e15", "model.width=1", "model.blocks=1")
    for more in ((), ("-m", "seed=0,1")):
        done = command("src.run", *more, *words)
        assert done.returncode == 2
        assert "GiB are free; make room" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.rglob("config.yaml"))


@pytest.mark.parametrize("model", [name for name in options("model") if name != "local"])
def test_the_size_of_every_model_is_known_and_fits_what_its_file_says(model: str) -> None:
    config = configured(f"model={model}")
    size = model_size(config)
    assert size is not None
    message = (CONF / "model" / f"{model}.yaml").read_text()
    if "Weights: " in message:
        gb = float(message.partition("Weights: ")[2].partition(" GB")[0])
        assert 2 * size.parameters == pytest.approx(gb * 1e9, rel=0.15), "in bfloat16"
        assert size.vocabulary >= 32000
    else:
        assert size.parameters == pytest.approx(1.24e6, rel=0.02)
        assert (size.width, size.blocks, size.vocabulary) == (128, 6, 1024)


def test_the_estimate_of_the_disk_counts_clouds_and_weights() -> None:
    few, many = configured(), configured("probe.size=512", "objective.eval_size=8")
    assert 0.005 * GIB < (disk_bytes(few) or 0) < (disk_bytes(many) or 0) < 2 * (disk_bytes(few) or 0)
    assert (disk_bytes(configured("adapter=full")) or 0) > 20 * 1.2e6 * 4
    assert disk_bytes(configured("model=local", "model.path=some/hub_model")) is None


def test_the_estimate_of_the_disk_counts_the_clouds_of_random_updates() -> None:
    none, five, ten = (disk_bytes(configured(f"tda.weight_draws={draws}")) or 0 for draws in (0, 5, 10))
    checkpoints = len(plan_schedule(configured().schedule, 240).checkpoints)
    assert ten - five == 5 * checkpoints * 6 * 256 * 128 * 4
    assert five - none > ten - five, "the weights that a pair begins with are saved, too"
    few = disk_bytes(configured("tda.weight_draws=5", "tda.weight_steps=[0,1]")) or 0
    assert five - few == 5 * (checkpoints - 2) * 6 * 256 * 128 * 4


def test_copies_of_all_weights_that_do_not_fit_are_refused_where_the_size_is_known() -> None:
    large = ("adapter=full", "model.parameters=1e13", "model.width=1", "model.blocks=1")
    check_weight_copies(configured(*large))
    check_weight_copies(configured(*large[1:], "tda.weight_draws=2"))
    check_weight_copies(configured("adapter=full", "tda.weight_draws=2", "model=local", "model.path=some/hub_model"))
    with pytest.raises(RequestError, match=r"tda\.weight_draws=2: with adapter=full"):
        check_weight_copies(configured(*large, "tda.weight_draws=2"))
