"""One pass over two short texts as training makes it: what cannot be computed or read is found before it is needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from ..config import AdapterConfig, RequestError
from ..data.batches import Batch, collate
from ..data.labels import IGNORED, Example
from .loss import summed_loss
from .network import Network
from .reasons import first_words, list_names

_TOKENS, _LEARNED = 8, 4


def rehearse(path: str, network: Network, adapter: AdapterConfig) -> None:
    """Raises RequestError if the loss cannot be computed, a block not be read, or an adapter not be trained.

    Args:
        path: of the model, for messages.
    """
    seen: dict[nn.Module, Any] = {}
    try:
        batch = _make_batch(network)
        with _watched(network, seen):
            loss = float(_train_once(network, batch))
    except (MemoryError, torch.OutOfMemoryError):
        raise  # nothing is wrong with the model
    except Exception as error:  # what is wrong in config.json may show only where it is used
        raise RequestError(
            f"model.path={path}: cannot compute ({first_words(error)}); get the folder again, or mend its config.json"
        ) from error
    for problem in _find_unreadable(network, seen, tuple(batch["input_ids"].shape)):
        raise RequestError(f"model.path={path}: {problem}; give a model of another family")
    if not torch.isfinite(torch.tensor(loss)):
        raise RequestError(f"model.path={path}: its loss is {loss:g}; get the folder again, or mend its config.json")
    _refuse_unused(network, adapter, seen)


def _make_batch(network: Network) -> Batch:
    rows = network.causal.get_input_embeddings().weight.shape[0]
    tokens = [n % rows for n in range(5, 5 + _TOKENS)]
    texts = [tokens, tokens[::-1]]
    return collate([Example(ids, [IGNORED] * (_TOKENS - _LEARNED) + ids[-_LEARNED:]) for ids in texts], pad=0)


@torch.no_grad()
def _train_once(network: Network, batch: Batch) -> Tensor:
    """The loss with dropout as in training; the random state is as before."""
    was_training, device = network.causal.training, next(network.causal.parameters()).device
    with torch.random.fork_rng(devices=[]):
        network.causal.train()
        try:
            return summed_loss(network.causal, {name: values.to(device) for name, values in batch.items()})
        finally:
            network.causal.train(was_training)


@contextmanager
def _watched(network: Network, seen: dict[nn.Module, Any]) -> Iterator[None]:
    """Inside, what the trunk, the blocks and the adapted layers give is put into `seen`."""

    def keep(module: nn.Module, args: object, output: Any) -> None:
        seen[module] = output

    parts = [network.trunk, *network.blocks, *_adapted(network).values()]
    handles = [part.register_forward_hook(keep) for part in parts]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _adapted(network: Network) -> dict[str, nn.Module]:
    return {name: part for name, part in network.causal.named_modules() if isinstance(part, LoraLayer)}


def _find_unreadable(network: Network, seen: dict[nn.Module, Any], shape: tuple[int, ...]) -> Iterator[str]:
    """What captures could not read: they take the output of each block, and the last one after the final norm."""
    states: list[tuple[str, nn.Module, Callable[[Any], Any]]] = [
        (f"block {n}", block, lambda output: output if isinstance(output, Tensor) else output[0])
        for n, block in enumerate(network.blocks, start=1)
    ]
    states.append(("the language model", network.trunk, lambda output: getattr(output, "last_hidden_state", None)))
    for what, part, read in states:
        if part not in seen:
            yield f"{what} is never used when it predicts text, so that it has no activations"
            continue
        given = read(seen[part])
        if not isinstance(given, Tensor) or given.ndim != 3 or tuple(given.shape[:2]) != shape:
            kind = f"values of shape {tuple(given.shape)}" if isinstance(given, Tensor) else type(given).__name__
            yield f"{what} gives {kind} for {shape[0]} texts of {shape[1]} tokens, not a vector for each token"


def _refuse_unused(network: Network, adapter: AdapterConfig, seen: dict[nn.Module, Any]) -> None:
    """An expert may not be called for a few tokens; a kind of layer that none of the blocks calls never is."""
    kinds: dict[str, bool] = {}
    for name, part in _adapted(network).items():
        kind = re.sub(r"\.\d+\.", ".*.", name)
        kinds[kind] = kinds.get(kind, False) or part in seen
    unused = [kind for kind, used in kinds.items() if not used]
    if unused:
        key = f"adapter.targets={adapter.targets}" if adapter.resume is None else f"adapter.resume={adapter.resume}"
        used = [kind.rpartition("*.")[2] for kind, is_used in kinds.items() if is_used]
        raise RequestError(
            f"{key}: {list_names(unused)} are never used when this model predicts text, so that adapters beside them "
            f"would not be trained; give adapter.targets=[{','.join(used)}], or some of these"
        )
