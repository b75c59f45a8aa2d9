"""What is trained of a model: a new adapter, one that goes on, or every weight; and what that is in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from peft.tuners.lora import LoraLayer, ParamWrapper
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from ..config import AdapterConfig, RequestError
from ..config.adapter import WEIGHTS
from .check_folder import is_pointer
from .network import Network
from .reasons import first_words, list_names
from .targets import choose_targets


def add_adapter(causal: PreTrainedModel, adapter: AdapterConfig, seed: int) -> Network:
    """The model with the adapter that is asked for, in train mode; the weights of a new one are drawn by `seed`.

    Raises:
        RequestError: if the adapter does not fit the model, saying what to do.
    """
    torch.manual_seed(seed)
    if adapter.resume is not None:
        return Network(resume_adapter(causal, adapter).train(), causal)
    targets = choose_targets(Network(causal, causal), adapter.targets)
    lora = LoraConfig(
        r=adapter.rank, lora_alpha=adapter.alpha, lora_dropout=adapter.dropout, target_modules=targets,
        fan_in_fan_out=isinstance(causal.get_submodule(targets[0]), Conv1D), task_type="CAUSAL_LM",
    )  # fmt: skip
    # transformers loads in eval mode and Lightning leaves it there.
    return Network(get_peft_model(causal, lora).train(), causal)


def resume_adapter(causal: PreTrainedModel, adapter: AdapterConfig) -> PeftModel:
    """The model with the stored adapter that `adapter.resume` names.

    Raises:
        RequestError: if it does not fit the model.
    """
    folder = Path(str(adapter.resume)).expanduser()
    key, base = f"adapter.resume={folder}", "the base that it was trained on"
    if is_pointer(folder / WEIGHTS):
        raise RequestError(f"{key}: {WEIGHTS} is a git-lfs pointer; fetch it with: git lfs pull")
    try:
        stored = load_file(folder / WEIGHTS)
        config = PeftConfig.from_pretrained(str(folder))
        base = config.base_model_name_or_path or base
        config.inference_mode, config.lora_dropout = False, adapter.dropout
        model = get_peft_model(causal, config)
        frozen = {name for name, tensor in model.named_parameters() if not tensor.requires_grad}
        loaded = set_peft_model_state_dict(model, stored)
    except SafetensorError as error:
        raise RequestError(f"{key}: {WEIGHTS} is damaged or cut off ({error}); get it again") from error
    except (MemoryError, torch.OutOfMemoryError):
        raise  # nothing is wrong with the files
    except Exception as error:  # what PEFT raises hangs on where it notices that files and model do not fit
        raise RequestError(
            f"{key}: does not fit model.path ({first_words(error)}); give the model that it was trained on ({base}), "
            "or get the folder again"
        ) from error
    for problem in _find_misfits(model, stored, frozen, loaded.missing_keys, loaded.unexpected_keys):
        raise RequestError(f"{key}: {problem}; give the model that it was trained on ({base}), or get the folder again")
    return model


def _find_misfits(
    model: PeftModel, stored: Mapping[str, Tensor], frozen: set[str], missing: list[str], unexpected: list[str]
) -> Iterator[str]:
    trained = {name for name, tensor in model.named_parameters() if tensor.requires_grad}
    if lacking := sorted(trained & set(missing)):
        yield f"its weights lack {list_names(lacking)}"
    if unexpected:
        yield f"the model has no place for {list_names(sorted(unexpected))}"
    if further := sorted(stored.keys() & frozen):
        yield f"holds weights of the model itself, which would stay frozen: {list_names(further)}"
    for name, tensor in stored.items():
        if not torch.isfinite(tensor).all():
            yield f"its weight {name} is not finite"


def describe_training(network: Network, adapter: AdapterConfig) -> str:
    """What is trained, in one line."""
    tensors = dict(network.model.named_parameters())
    trained = sum(tensor.numel() for tensor in tensors.values() if tensor.requires_grad)
    if not isinstance(network.model, PeftModel):
        return f"every weight is trained: {trained:,} in {len(tensors)} tensors"
    layers = {n: part for n, part in network.causal.named_modules() if isinstance(part, LoraLayer)}
    kinds = dict.fromkeys(
        part.parameter_name if isinstance(part, ParamWrapper) else name.rpartition(".")[2]
        for name, part in layers.items()
    )
    share = trained / (sum(tensor.numel() for tensor in tensors.values()) - trained)
    origin = "" if adapter.resume is None else f"goes on from {adapter.resume}, step 0 is the model with it; "
    frozen = ", ".join(_name_frozen(network)) or "nothing else"
    return (
        f"LoRA {origin}rank {adapter.rank} on {len(kinds)} kind(s) of layers ({', '.join(kinds)}), "
        f"{len(layers)} modules, {100 * share:.2g} % of the weights; frozen: {frozen}"
    )


def _name_frozen(network: Network) -> list[str]:
    """Matrices that no adapter stands beside, each kind once: in a block by the layer, outside by the model's part."""
    blocks = network.name_of(network.blocks).split(".")
    wrapped = {
        id(part) for layer in network.causal.modules() if isinstance(layer, LoraLayer) for part in layer.modules()
    }
    found: dict[str, None] = {}
    for path, part in network.causal.named_modules():
        if id(part) in wrapped:
            continue
        for name, tensor in part.named_parameters(recurse=False):
            if tensor.ndim > 1 and not tensor.requires_grad:
                found[_name_part(path.split("."), name, blocks)] = None
    return list(found)


def _name_part(path: list[str], name: str, blocks: list[str]) -> str:
    if path[: len(blocks)] == blocks:
        return path[-1] if name == "weight" else f"{path[-1]}.{name}"
    departs = next((n for n, (own, other) in enumerate(zip(path, blocks, strict=False)) if own != other), -1)
    return path[departs]
