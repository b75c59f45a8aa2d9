"""The adapter of a request: defaults, what a stored one brings, contradictions, identity."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from src.config import RequestError
from src.config.adapter import CONFIG, WEIGHTS
from src.config.identity import config_hash, identity
from src.config.resolve import resolve_config
from tests.support.builders import composed

STORED = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 12, "lora_dropout": 0.25}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An adapter as far as it is read before anything heavy is imported."""
    path = tmp_path / "stored"
    path.mkdir()
    (path / CONFIG).write_text(json.dumps(STORED))
    (path / WEIGHTS).write_bytes(b"weights")
    return path


def test_without_a_stored_adapter_there_are_defaults() -> None:
    adapter = resolve_config(composed()).adapter
    assert (adapter.rank, adapter.alpha, adapter.dropout, adapter.targets) == (8, 16.0, 0.0, "auto")
    assert not {"adapter.targets", "adapter.resume", "adapter.content"} & identity(resolve_config(composed())).keys()


def test_a_stored_adapter_brings_its_own_settings_and_only_dropout_may_be_another(folder: Path) -> None:
    adapter = resolve_config(composed(f"adapter.resume={folder}")).adapter
    assert (adapter.rank, adapter.alpha, adapter.dropout) == (4, 12.0, 0.25)
    assert (
        resolve_config(composed(f"adapter.resume={folder}", "adapter.rank=4", "adapter.dropout=0")).adapter.dropout == 0
    )


def test_the_content_makes_the_run_and_not_the_folder(folder: Path, tmp_path: Path) -> None:
    def hashed(path: Path) -> str:
        return config_hash(resolve_config(composed(f"adapter.resume={path}")))

    first = hashed(folder)
    copied = Path(shutil.copytree(folder, tmp_path / "copied"))
    assert hashed(copied) == first != config_hash(resolve_config(composed("adapter.rank=4", "adapter.alpha=12")))
    (copied / WEIGHTS).write_bytes(b"Weights")
    assert hashed(copied) != first


def test_the_order_of_targets_says_nothing() -> None:
    one, other = (
        resolve_config(composed(f"adapter.targets={words}")) for words in ("[q_proj,v_proj]", "[v_proj,q_proj]")
    )
    assert config_hash(one) == config_hash(other) != config_hash(resolve_config(composed("adapter.targets=q_proj")))
    assert resolve_config(composed("adapter.targets=q_proj")).adapter.targets == ["q_proj"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["adapter.rank=8"], r"adapter\.rank=8: the adapter of adapter\.resume=\S+ has 4; leave adapter\.rank out"),
        (["adapter.alpha=16"], r"adapter\.alpha=16\.0: the adapter of \S+ has 12"),
        (["adapter.targets=[q_proj]"], r"adapter\.targets=\['q_proj'\]: the adapter of \S+ has its own"),
        (["adapter=full"], r"adapter=full trains every weight; use adapter=lora, or merge"),
        (["adapter.content=abc"], r"adapter\.content=abc: adapter\.resume=\S+ holds [0-9a-f]{12}; give that"),
    ],
)
def test_what_contradicts_the_stored_adapter_is_named(folder: Path, words: list[str], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        resolve_config(composed(f"adapter.resume={folder}", *words))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["adapter.targets=[]"], r"adapter\.targets=\[\]: give auto, or endings"),
        (["adapter.targets=3"], r"adapter\.targets=3: give auto"),
        (["adapter.targets=[1]"], r"adapter\.targets=\[1\]: give auto"),
        (["adapter.targets={a: 1}"], r"adapter\.targets=\{'a': 1\}: give auto"),
        (["adapter.targets=null"], r"adapter\.targets=None: give auto"),
        (["adapter=full", "adapter.targets=[q_proj]"], "adapter=full trains every weight; leave it out"),
        (["adapter=full", "adapter.rank=4"], "adapter.rank=4: adapter=full trains every weight; leave it out"),
        (["adapter=full", "adapter.dropout=0.1"], "adapter.dropout=0.1: adapter=full trains every weight"),
        (["adapter.content=abc"], r"adapter\.content=abc: of no use without adapter\.resume"),
        (["adapter.resume=nowhere"], r"adapter\.resume=nowhere: no such folder"),
    ],
)
def test_a_wrong_adapter_is_named(words: list[str], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        resolve_config(composed(*words))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"peft_type": "IA3"}, "is a IA3 adapter; only LoRA goes on"),
        ({"task_type": "SEQ_CLS"}, "was trained for SEQ_CLS"),
        ({"r": "8"}, "says r=8"),
        ({"r": 0}, "says r=0"),
        ({"lora_alpha": None}, "lora_alpha=None"),
        ({"lora_dropout": 2}, "lora_dropout=2"),
    ],
)
def test_a_stored_adapter_of_another_kind_is_refused(folder: Path, changed: dict[str, object], message: str) -> None:
    (folder / CONFIG).write_text(json.dumps(STORED | changed))
    with pytest.raises(RequestError, match=message):
        resolve_config(composed(f"adapter.resume={folder}"))


def test_a_folder_that_is_no_adapter_is_refused(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "adapter_model.bin")
    with pytest.raises(RequestError, match=r"holds no adapter_model\.safetensors; load the adapter with peft"):
        resolve_config(composed(f"adapter.resume={folder}"))
    (folder / CONFIG).write_text("{")
    (folder / WEIGHTS).write_bytes(b"")
    with pytest.raises(RequestError, match=r"adapter_config\.json cannot be read"):
        resolve_config(composed(f"adapter.resume={folder}"))
    (folder / CONFIG).rename(folder / "config.json")
    with pytest.raises(RequestError, match=r"no adapter of peft; a whole model goes to model\.path"):
        resolve_config(composed(f"adapter.resume={folder}"))
