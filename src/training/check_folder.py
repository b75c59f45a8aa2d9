"""Does a folder hold a model whose files can be read at all? Asked before a library stumbles over them."""

from __future__ import annotations

import json
from pathlib import Path

from ..config import RequestError

POINTER = b"version https://git-lfs"
"""What a file begins with that git-lfs has not fetched yet."""
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
DESCRIPTIONS = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", INDEX,
)  # fmt: skip
"""Files that hold one JSON object each, where they are there."""
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


def check_folder(folder: Path, *, needs_weights: bool = True) -> None:
    """Raises RequestError if a folder holds no model, an adapter alone, or files that cannot be read.

    Args:
        needs_weights: or whether its description is enough.
    """
    key = f"model.path={folder}"
    if not folder.is_dir():
        raise RequestError(f"{key}: is a file; give the folder with config.json, tokenizer files and *.safetensors")
    if (folder / "adapter_config.json").is_file():
        raise RequestError(
            f"{key}: is an adapter, not a model; to train it further give its base as model.path and "
            f"adapter.resume={folder}, or merge it into its base (merge_and_unload of peft) and give the merged folder"
        )
    if not (folder / "config.json").is_file():
        raise RequestError(f"{key}: holds no config.json; give the folder of a model that transformers wrote")
    for file in sorted(folder.iterdir()):
        if file.is_symlink() and not file.exists():
            raise RequestError(
                f"{key}: {file.name} is a link to {file.readlink()}, which is not there; copy the folder with what its "
                "links lead to (cp -rL), or get it again"
            )
        if file.is_file() and is_pointer(file):
            raise RequestError(f"{key}: {file.name} is a git-lfs pointer; fetch it with: git lfs pull")
    for name in DESCRIPTIONS:
        if (folder / name).is_file():
            _check_description(key, folder / name)
    if not needs_weights:
        return
    if not list(folder.glob("*.safetensors")):
        found = sorted(file.name for pattern in PICKLES for file in folder.glob(pattern))
        pickled = f"its weights are in {found[0]}, which could run code when it is read; " if found else ""
        raise RequestError(
            f"{key}: holds no *.safetensors; {pickled}load the model with transformers where you trust it and save it "
            "again with save_pretrained, or get the folder again"
        )
    _check_shards(key, folder)


def is_pointer(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(POINTER)) == POINTER


def _check_description(key: str, file: Path) -> None:
    try:
        described = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{key}: {file.name} is no JSON ({error}); get the folder again") from error
    if not isinstance(described, dict):
        raise RequestError(f"{key}: {file.name} holds no JSON object; get the folder again")


def _check_shards(key: str, folder: Path) -> None:
    """The weights must be where transformers looks for them: in one file, or in all that an index names."""
    index = folder / INDEX
    if (folder / WEIGHTS).is_file():
        return
    if not index.is_file():
        found = sorted(file.name for file in folder.glob("*.safetensors"))
        raise RequestError(
            f"{key}: holds {found[0]}, but neither {WEIGHTS} nor {INDEX}, so that nothing says what the whole of the "
            "weights is; get the folder again"
        )
    described = json.loads(index.read_text(encoding="utf-8"))
    places = described.get("weight_map")
    if not isinstance(places, dict) or not places or not all(isinstance(name, str) for name in places.values()):
        raise RequestError(f"{key}: {index.name} names no files; get the folder again")
    if not isinstance(described.get("metadata"), dict):
        raise RequestError(f"{key}: {index.name} has no metadata; get the folder again")
    names = sorted(set(places.values()))
    outside = [name for name in names if Path(name).name != name]
    if outside:
        raise RequestError(f"{key}: {index.name} names {outside[0]}, which is no file of this folder; get it again")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise RequestError(f"{key}: {missing[0]} is not there, of {len(names)} files of weights; get it")


def weight_files(folder: Path) -> list[Path]:
    """The files that a sound folder has its weights in."""
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    places = json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"]
    return sorted({folder / name for name in places.values()})
