"""One checkpoint of a series: what kind it is, its step, the names and shapes of its tensors. No weight is read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import RequestError
from ..config.adapter import CONFIG as ADAPTER_CONFIG
from ..config.adapter import WEIGHTS as ADAPTER_WEIGHTS

STATE = "trainer_state.json"
"""What the Trainer of transformers, and TRL, write beside their weights."""

Shapes = dict[str, tuple[str | int, ...]]
"""Of tensors, by name: precision, then sizes."""


@dataclass(frozen=True)
class Checkpoint:
    path: Path
    """Folder, or file of Lightning."""
    kind: str
    """`model`, `adapter` or `lightning`."""
    named: str
    """What the user calls it: its path, or its revision."""


def read_kind(path: Path, named: str, key: str) -> Checkpoint:
    """The checkpoint that lies at a path.

    Raises:
        RequestError: if there is none.
    """
    if path.is_file() and path.suffix == ".ckpt":
        return Checkpoint(path, "lightning", named)
    if not path.exists():
        raise RequestError(f"{key}={named}: no such folder; {_found_beside(path)}")
    if not path.is_dir():
        raise RequestError(f"{key}={named}: is a file; give a folder that holds a checkpoint, or a .ckpt of Lightning")
    if (path / ADAPTER_CONFIG).is_file():
        if not (path / ADAPTER_WEIGHTS).is_file():
            raise RequestError(
                f"{key}={named}: holds {ADAPTER_CONFIG} and no {ADAPTER_WEIGHTS}; save it again with peft"
            )
        return Checkpoint(path, "adapter", named)
    if any(path.glob("*.safetensors")):
        return Checkpoint(path, "model", named)
    pickled = sorted(file.name for pattern in ("*.bin", "*.pt", "*.pth") for file in path.glob(pattern))
    why = (
        f"its weights are in {pickled[0]}, which could run code when it is read; save it again with save_pretrained"
        if pickled
        else f"holds no *.safetensors and no {ADAPTER_WEIGHTS}, so it is no checkpoint; give folders that hold one"
    )
    raise RequestError(f"{key}={named}: {why}")


def _found_beside(path: Path) -> str:
    there = sorted(other.name for other in path.parent.glob("*")) if path.parent.is_dir() else []
    return f"{path.parent} holds {', '.join(there[:8]) or 'nothing'}"


def read_step(checkpoint: Checkpoint) -> int | None:
    """The optimizer step that a checkpoint states in the state of its trainer, else in its name; None if in neither."""
    if checkpoint.kind == "lightning":
        stated = re.search(r"step=(\d+)", checkpoint.path.name)
        return int(stated[1]) if stated else int(read_lightning(checkpoint)["global_step"])
    state = read_trainer_state(checkpoint)
    if isinstance(state.get("global_step"), int):
        return int(state["global_step"])
    # The last number of the name: checkpoint-500, step1000, stage1-step1000-tokens5B.
    name = Path(checkpoint.named.rstrip("/")).name
    named = re.search(r"(?:step|checkpoint|ckpt|iter)[-_=]?(\d+)", name, re.IGNORECASE) or re.fullmatch(
        r"\D*(\d+)", name
    )
    return int(named[1]) if named else None


def read_trainer_state(checkpoint: Checkpoint) -> dict[str, Any]:
    """What the trainer wrote beside the weights; empty if it is not there, or cannot be read."""
    file = checkpoint.path / STATE
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return {}
    return found if isinstance(found, dict) else {}


def read_shapes(checkpoint: Checkpoint, key: str) -> Shapes:
    """Names and shapes of the tensors, from the headers of the files.

    Raises:
        RequestError: if a file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    if checkpoint.kind == "lightning":
        return {
            name: (str(tensor.dtype), *tensor.shape)
            for name, tensor in read_lightning(checkpoint)["state_dict"].items()
        }
    files = weight_files(checkpoint)
    shapes: Shapes = {}
    for file in files:
        try:
            with safe_open(file, framework="numpy") as opened:
                slices = {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118
                shapes |= {name: (part.get_dtype(), *part.get_shape()) for name, part in slices.items()}
        except (SafetensorError, OSError) as error:
            raise RequestError(
                f"{key}={checkpoint.named}: {file.name} is damaged or cut off ({error}); get it again"
            ) from error
    return shapes


def weight_files(checkpoint: Checkpoint) -> list[Path]:
    """The files that hold its weights: the safetensors files of a folder, or Lightning's own."""
    if checkpoint.kind == "lightning":
        return [checkpoint.path]
    if checkpoint.kind == "adapter":
        return [checkpoint.path / ADAPTER_WEIGHTS]
    whole = checkpoint.path / "model.safetensors"
    return [whole] if whole.is_file() else sorted(checkpoint.path.glob("*.safetensors"))


def read_lightning(checkpoint: Checkpoint) -> dict[str, Any]:
    """The content of a .ckpt, mapped, with nothing run that it holds.

    Raises:
        RequestError: if it cannot be read so, or holds no weights.
    """
    from pickle import UnpicklingError

    import torch

    key = f"track.checkpoints={checkpoint.named}"
    try:
        content = torch.load(checkpoint.path, weights_only=True, mmap=True, map_location="cpu")
    except (UnpicklingError, RuntimeError, OSError, EOFError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise RequestError(
            f"{key}: cannot be read with weights_only ({reason}); save its weights alone "
            "(ModelCheckpoint(save_weights_only=True))"
        ) from error
    if not (isinstance(content, dict) and isinstance(content.get("state_dict"), dict) and "global_step" in content):
        raise RequestError(f"{key}: is no checkpoint of Lightning, it has no state_dict and global_step")
    return content
