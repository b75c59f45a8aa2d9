"""Models that are no language models, told by their config.json before anything of them is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from huggingface_hub import try_to_load_from_cache
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from .. import PACKAGE
from ..assets import locate
from ..config import RequestError


def refuse_encoder(path: str) -> None:
    """Raises RequestError if a model is an encoder of texts, of images or of anything else, with what measures it.

    Args:
        path: of the model, as a configuration names it.
    """
    what = _name_encoder(_read_config(path))
    if what:
        raise RequestError(
            f"model.path={path}: is a {what}, no causal language model, and only those are read here. Hidden states of "
            f"anything are measured from Python: {PACKAGE}.track_arrays({{step: {{layer: array}}}}), see "
            "src/notebook/README.md"
        )


def _read_config(path: str) -> dict[str, Any]:
    """The config.json of a folder or of the hub's cache; empty if there is none that can be read."""
    folder = Path(locate(path))
    try:
        found = folder / "config.json" if folder.exists() else try_to_load_from_cache(path, "config.json")
        config = json.loads(Path(found).read_text(encoding="utf-8")) if isinstance(found, (str, Path)) else None
    except (OSError, ValueError):  # also what is no name of the hub's
        return {}  # what loads it says what is wrong
    return config if isinstance(config, dict) else {}


def _name_encoder(config: dict[str, Any]) -> str:
    """Class, or type, of an encoder; empty of what may be a language model."""
    kind, classes = config.get("model_type"), config.get("architectures")
    if not isinstance(kind, str) or kind not in CONFIG_MAPPING_NAMES:
        return ""
    named = str(classes[0]) if isinstance(classes, list) and classes else ""
    causal = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.get(kind)
    # BERT and its kin can be either.
    is_masked = kind in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not config.get("is_decoder") and named not in ("", causal)
    what = kind if named.endswith("ForCausalLM") else named or kind  # the class is wrong then
    return what if causal is None or is_masked else ""
