"""Which layers an adapter stands beside.

Every linear layer of the language model, but those that an adapter would have no effect on or break:

- outside of the language model: its head, and the towers of a model that also sees or hears;
- routers of experts, which return more than a product;
- in a state-space mixer all but the input projection: its kernels read the other weights past the adapter, so that no
  gradient reaches it, and which kernels run is a matter of the machine;
- what PEFT would take for weights of fused experts. Those, and experts fused into one tensor, stay frozen: a product
  with each expert's update would be made at every step, and none takes dropout.
"""

from __future__ import annotations

from collections.abc import Sequence

from peft import LoraConfig
from peft.utils.transformers_weight_conversion import convert_peft_config_for_transformers
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from ..config import RequestError
from ..config.schema import AUTO
from .network import Network

_STATE_SPACE = {"A_log", "D"}
"""Parameters that a state-space mixer has, by whatever name it goes."""


def choose_targets(network: Network, wanted: str | Sequence[str]) -> list[str]:
    """Full names of the layers to adapt, in the order of the network.

    Args:
        wanted: `auto`, or endings of layer names.

    Raises:
        RequestError: if an ending is that of no layer that can be adapted, with those that there are.
    """
    names = find_layers(network)
    if wanted == AUTO:
        if not names:
            raise RequestError(
                f"adapter.targets={AUTO}: {type(network.causal).__name__} has no linear layer that LoRA can adapt; "
                "use adapter=full"
            )
        return names
    unknown = [ending for ending in wanted if not any(_ends(name, ending) for name in names)]
    if unknown:
        kinds = ", ".join(dict.fromkeys(map(_kind, names)))
        raise RequestError(
            f"adapter.targets=[{','.join(wanted)}]: no layer that can be adapted is called {', '.join(unknown)}; "
            f"there are {kinds or 'none, use adapter=full'}"
        )
    return [name for name in names if any(_ends(name, ending) for ending in wanted)]


def _ends(name: str, ending: str) -> bool:
    return f".{name}".endswith(f".{ending}")


def find_layers(network: Network) -> list[str]:
    """Full names, in the order of the network, of all layers that can be adapted; see above."""
    trunk, head = network.trunk, network.causal.get_output_embeddings()
    parents = {child: parent for parent in trunk.modules() for child in parent.children()}
    prefix = network.name_of(trunk)
    names = [
        f"{prefix}.{name}" if prefix else name for name, part in trunk.named_modules()
        if isinstance(part, (nn.Linear, Conv1D)) and part is not head and _can_be_adapted(name, part, parents[part])
    ]  # fmt: skip
    kept = {kind for kind in {_kind(name) for name in names} if _is_kept_by_peft(network.causal, kind)}
    return [name for name in names if _kind(name) in kept]


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _can_be_adapted(name: str, part: nn.Module, parent: nn.Module) -> bool:
    if any("router" in type(module).__name__.lower() for module in (part, parent)):
        return False
    is_state_space = dict(parent.named_parameters(recurse=False)).keys() >= _STATE_SPACE
    return not is_state_space or _kind(name).startswith("in_proj")


def _is_kept_by_peft(causal: PreTrainedModel, kind: str) -> bool:
    """Whether PEFT adapts layers of this name as what they are; in some families it reads weights of fused experts."""
    config = LoraConfig(target_modules=[kind], task_type="CAUSAL_LM")
    try:
        convert_peft_config_for_transformers(config, causal, None)
    except ValueError:  # a part of what was fused
        return False
    return kind in config.target_modules
