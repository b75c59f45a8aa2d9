"""The adapter of a request: its own defaults, or what the stored adapter says that it goes on from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .paths import expand, is_folder
from .schema import AUTO, AdapterConfig

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
"""What peft's `save_pretrained` writes."""
DEFAULTS = {"rank": 8, "alpha": 16.0, "dropout": 0.0}
STORED = {"rank": "r", "alpha": "lora_alpha", "dropout": "lora_dropout"}
"""What peft calls them."""
FIXED = ("rank", "alpha")
"""Those that the stored weights are of: another value would be another adapter."""


def complete_adapter(adapter: AdapterConfig) -> None:
    """Fill in what was not given: from the adapter that is resumed, else the defaults. Nothing is checked."""
    stored: dict[str, Any] = {}
    if adapter.resume is not None:
        folder = expand(adapter.resume)
        if not list(_folder_problems(folder)):
            stored = _read(folder / CONFIG)
            adapter.content = adapter.content or _hash(folder)
    for key, default in DEFAULTS.items():
        if getattr(adapter, key) is None:
            setattr(adapter, key, type(default)(stored.get(STORED[key]) or default))
    if isinstance(adapter.targets, str) and adapter.targets != AUTO:
        adapter.targets = [adapter.targets]
    if _are_names(adapter.targets):
        adapter.targets = sorted(set(adapter.targets))  # the order says nothing


def adapter_conflicts(adapter: AdapterConfig) -> Iterator[str]:
    """What is wrong with the adapter, each with the key, its value and what to do."""
    targets = adapter.targets
    if targets != AUTO and not _are_names(targets):
        yield f"adapter.targets={targets}: give {AUTO}, or endings of layer names such as [q_proj,v_proj]"
    if adapter.kind == "full" and targets != AUTO:
        yield f"adapter.targets={targets}: adapter=full trains every weight; leave it out, or use adapter=lora"
    if adapter.kind == "full":
        for name, default in DEFAULTS.items():
            if adapter.resume is None and getattr(adapter, name) != default:
                yield (
                    f"adapter.{name}={getattr(adapter, name)}: adapter=full trains every weight; leave it out, or use "
                    "adapter=lora"
                )
    if adapter.resume is None:
        if adapter.content is not None:
            yield f"adapter.content={adapter.content}: of no use without adapter.resume=<folder>; give both or neither"
        return
    key = f"adapter.resume={adapter.resume}"
    if adapter.kind == "full":
        yield f"{key}: adapter=full trains every weight; use adapter=lora, or merge the adapter into its base first"
    folder = expand(adapter.resume)
    problems = list(_folder_problems(folder))
    if problems:
        yield f"{key}: {problems[0]}"
        return
    stored = _read(folder / CONFIG)
    for name in FIXED:
        if getattr(adapter, name) != stored[STORED[name]]:
            yield (
                f"adapter.{name}={getattr(adapter, name)}: the adapter of {key} has {stored[STORED[name]]}; "
                f"leave adapter.{name} out, or start a new adapter without adapter.resume"
            )
    if targets != AUTO:
        yield (
            f"adapter.targets={targets}: the adapter of {key} has its own; leave adapter.targets out, or start a new "
            "adapter without adapter.resume"
        )
    if adapter.content != _hash(folder):
        yield f"adapter.content={adapter.content}: {key} holds {_hash(folder)}; give that, or the folder that was meant"


def _folder_problems(folder: Path) -> Iterator[str]:
    if not is_folder(folder):
        yield f"no such folder; give one with {CONFIG} and {WEIGHTS}"
        return
    if not (folder / CONFIG).is_file():
        more = "; a whole model goes to model.path" if (folder / "config.json").is_file() else ""
        yield f"holds no {CONFIG}, so it is no adapter of peft{more}"
        return
    if not (folder / WEIGHTS).is_file():
        yield f"holds no {WEIGHTS}; load the adapter with peft and save it again with save_pretrained"
        return
    try:
        stored = _read(folder / CONFIG)
    except (OSError, ValueError, RecursionError) as error:
        yield f"{CONFIG} cannot be read ({error}); get the folder again"
        return
    kind, task = stored.get("peft_type"), stored.get("task_type")
    rank, alpha, dropout = (stored.get(name) for name in STORED.values())
    if kind != "LORA":
        yield f"is a {kind} adapter; only LoRA goes on"
    elif task not in (None, "CAUSAL_LM"):
        yield f"was trained for {task}, not CAUSAL_LM; give an adapter of a language model"
    elif not (isinstance(rank, int) and rank >= 1 and _is_above_0(alpha)):
        yield f"{CONFIG} says r={rank}, lora_alpha={alpha}; get the folder again"
    elif dropout and not (_is_above_0(dropout) and dropout < 1):
        yield f"{CONFIG} says lora_dropout={dropout}; get the folder again"


def _are_names(targets: Any) -> bool:
    return isinstance(targets, list) and bool(targets) and all(isinstance(t, str) and t.strip() for t in targets)


def _is_above_0(value: Any) -> bool:
    return isinstance(value, (int, float)) and value > 0


def _read(path: Path) -> dict[str, Any]:
    stored = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(stored, dict):
        raise ValueError("it holds no object")
    return stored


def _hash(folder: Path) -> str:
    """Twelve hexadecimal digits of the SHA-256 of what makes the adapter."""
    digest = hashlib.sha256((folder / CONFIG).read_bytes())
    with (folder / WEIGHTS).open("rb") as opened:
        while part := opened.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()[:12]
