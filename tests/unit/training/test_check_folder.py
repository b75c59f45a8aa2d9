"""Folders whose files cannot be what a model needs are refused by the file's name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from src.assets import ASSETS
from src.config import RequestError
from src.training.check_folder import DESCRIPTIONS, INDEX, WEIGHTS, check_folder, weight_files

TINY = ASSETS / "tiny"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1000\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / "model"))


def test_the_embedded_model_is_sound(folder: Path) -> None:
    check_folder(folder)


def test_an_adapter_is_no_model_and_how_it_goes_on_is_told(tmp_path: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(TINY)
    get_peft_model(base, LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM")).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(TINY).save_pretrained(tmp_path)
    with pytest.raises(RequestError) as refused:
        check_folder(tmp_path)
    assert f"model.path={tmp_path}: is an adapter, not a model" in str(refused.value)
    assert f"adapter.resume={tmp_path}, or merge it" in str(refused.value)


def test_a_file_and_an_empty_folder_are_no_model(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is a file; give the folder"):
        check_folder(folder / "config.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match=r"empty: holds no config\.json"):
        check_folder(tmp_path / "empty")


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_pointer_of_git_lfs_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes(POINTER)
    with pytest.raises(RequestError, match=rf"{name} is a git-lfs pointer; .* git lfs pull"):
        check_folder(folder)


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"[1, 2]", b"null", b"\xff\xfe", b"[" * 100_000], ids=range(6))
@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_description_that_is_no_object_is_named(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(RequestError, match=rf"model\.path=.*: {name} (is no JSON|holds no JSON object)"):
        check_folder(folder)


def test_weights_that_could_run_code_are_refused_with_what_to_do(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(RequestError, match=r"holds no \*\.safetensors; load the model"):
        check_folder(folder)
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(
        RequestError, match=r"weights are in pytorch_model\.bin, which could run code .* save_pretrained"
    ):
        check_folder(folder)


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({"a": "model-1.safetensors", "b": "model-2.safetensors"}, r"model-2\.safetensors is not there, of 2 files"),
        ({"a": 3}, "names no files"),
        (None, "names no files"),
        ({}, "names no files"),
        ({"a": "model-1.safetensors", "b": "../b.safetensors"}, r"names \.\./b\.safetensors, which is no file of this"),
        ({"a": "/dev/null"}, "names /dev/null, which is no file of this folder"),
    ],
)
def test_an_index_must_name_files_that_are_there(folder: Path, places: object, message: str) -> None:
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}))
    with pytest.raises(RequestError, match=message):
        check_folder(folder)


def test_an_index_is_whole(folder: Path) -> None:
    weights = (folder / WEIGHTS).rename(folder / "model-1.safetensors")
    with pytest.raises(RequestError, match=r"holds model-1\.safetensors, but neither model\.safetensors nor model"):
        check_folder(folder)
    (folder / INDEX).write_text(json.dumps({"weight_map": {"a": weights.name}}))
    with pytest.raises(RequestError, match="has no metadata"):
        check_folder(folder)
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": {"a": weights.name, "b": weights.name}}))
    check_folder(folder)
    assert weight_files(folder) == [weights]


def test_a_link_to_nowhere_is_named(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).symlink_to("../../blobs/0123")
    with pytest.raises(RequestError, match=r"model\.safetensors is a link to \.\./\.\./blobs/0123, which is not there"):
        check_folder(folder)
