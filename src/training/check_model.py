"""Is the model that was loaded the one that was meant? Checked before anything is written, in the order of cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..clouds.capture import eval_mode
from ..config import RequestError
from .network import Network
from .reasons import first_words, list_names

_LENGTH, _PADDING = 8, 3
_TRIED = 512
"""Tokens that are looked at for some that differ."""
_EQUAL, _ROUNDING = 1e-5, 5e-2
"""Of logits, relative to their spread: where the same sums are made, and where others are, of bfloat16 too."""

_DIVISIBLE = (torch.float32, torch.bfloat16, torch.float16)
"""Of weights that mean what they say, and need no scales that lie elsewhere."""


def check_weights(path: str, loading: Mapping[str, Any]) -> None:
    """Raises RequestError if the stored weights are not those of the network.

    Args:
        path: of the model.
        loading: what transformers tells of a loading: `missing_keys`, `unexpected_keys`, `mismatched_keys`.
    """
    lacking, further = sorted(loading["missing_keys"]), sorted(loading["unexpected_keys"])
    shapes = sorted(str(key[0] if isinstance(key, tuple) else key) for key in loading["mismatched_keys"])
    problems = [
        f"{what} {list_names(names)}"
        for what, names in (("lack", lacking), ("hold in another shape", shapes), ("have no place for", further))
        if names
    ]
    if problems:
        raise RequestError(
            f"model.path={path}: its weights {', and '.join(problems)}; what is missing would be drawn at random. Get "
            "the folder again, or give one whose config.json fits its weights"
        )


def check_types(path: str, causal: PreTrainedModel, files: Sequence[Path]) -> None:
    """Raises RequestError if a file holds whole or complex numbers where the network has real ones.

    They would be taken for weights, which what is quantized is not without its scales.

    Args:
        path: of the model.
        files: of its weights.
    """
    if hasattr(causal, "is_quantized"):  # transformers knows how they are meant
        return
    real = {name for name, tensor in causal.named_parameters() if tensor.is_floating_point()}
    prefix = f"{causal.base_model_prefix}."
    for file in files:
        with safe_open(file, framework="pt") as opened:
            for name in opened.keys():  # noqa: SIM118
                kind = opened.get_slice(name).get_dtype()
                names = {name, prefix + name, name.removeprefix(prefix)}
                if names & real and not kind.startswith(("F", "BF")):
                    raise RequestError(
                        f"model.path={path}: {file.name} holds {name} as {kind}, no real numbers, and config.json says "
                        "of no quantization how they are meant; give the model as it was before it was quantized"
                    )


def check_blocks(path: str, causal: PreTrainedModel) -> None:
    """Raises RequestError if the network has no transformer blocks to read activations from, or one says nothing.

    Args:
        path: of the model.
        causal: without an adapter, which would say something.
    """
    try:
        blocks = Network(causal, causal).blocks
    except ValueError as error:
        raise RequestError(
            f"model.path={path}: {error}, whose outputs could be read; give a model that is built of blocks"
        ) from error
    for number, block in enumerate(blocks, start=1):
        # What was reserved on disk and never written reads as zeros.
        if not any(tensor.any() for tensor in block.parameters() if tensor.ndim > 1):
            raise RequestError(
                f"model.path={path}: every matrix of its block {number} is zero: its weights were not written to the "
                "end; get the folder again"
            )


def check_network(path: str, causal: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Raises RequestError if the network cannot be what a language model is, with what was found."""
    for problem in _find_problems(causal, tokenizer):
        raise RequestError(f"model.path={path}: {problem}")


def _find_problems(causal: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Iterator[str]:
    rows = causal.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        yield (
            f"its tokenizer has {len(tokenizer)} tokens, its embedding {rows} rows; give the tokenizer that the model "
            "was trained with, or resize the embedding"
        )
    for name, tensor in causal.named_parameters():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            yield f"the weight {name} is not finite; get the folder again"
    try:
        yield from _find_later_tokens(causal)
    except (MemoryError, torch.OutOfMemoryError):
        raise  # nothing is wrong with the model
    except Exception as error:  # what is wrong in config.json may show only where it is used
        yield f"cannot compute ({first_words(error)}); get the folder again, or mend its config.json"


@torch.inference_mode()
def _find_later_tokens(causal: PreTrainedModel) -> Iterator[str]:
    """Two texts that differ in the last token, and one of them with padding: what comes before must not change."""
    different = telling_tokens(causal)
    tokens = [different[n % len(different)] for n in range(_LENGTH)]
    other, padded = [*tokens[:-1], different[_LENGTH % len(different)]], [*tokens, *([0] * _PADDING)]
    with eval_mode(causal):
        first, second = (_logits(causal, text, len(text)) for text in (tokens, other))
        beside = _logits(causal, padded, len(tokens))
    if not torch.isfinite(first).all():
        yield "what it predicts is not finite; get the folder again, or mend its config.json"
    if torch.equal(first[-1], second[-1]):
        yield "predicts the same whatever the text is: its weights say nothing; get the folder again"
    spread = float(first.std()) or 1.0
    if float((first - second)[:-1].abs().max()) > _EQUAL * spread:
        yield "attends to later tokens: it is no causal language model; give one that predicts from left to right"
    elif float((first - beside[:_LENGTH]).abs().max()) > _ROUNDING * spread:
        yield "padding changes what it predicts for the text before it: batches of texts cannot be trained on"


def telling_tokens(causal: PreTrainedModel) -> list[int]:
    """Some tokens whose embeddings differ, for texts that shall: those of unused tokens are often all alike."""
    table = causal.get_input_embeddings().weight.detach()
    places = torch.linspace(0, len(table) - 1, min(_TRIED, len(table))).long()
    _, kinds = torch.unique(table[places.to(table.device)].float(), dim=0, return_inverse=True)
    first = torch.unique(kinds.cpu(), return_inverse=True)[1]
    return [int(places[(first == kind).nonzero()[0, 0]]) for kind in range(int(first.max()) + 1)]


def _logits(causal: PreTrainedModel, tokens: Sequence[int], length: int) -> torch.Tensor:
    """float32 (T, V) of one text, of which `length` tokens are no padding."""
    mask = torch.tensor([[1] * length + [0] * (len(tokens) - length)])
    ids = torch.tensor([list(tokens)])
    device = next(causal.parameters()).device
    output = causal(input_ids=ids.to(device), attention_mask=mask.to(device), use_cache=False)
    return torch.as_tensor(output.logits[0]).float()


def check_sharding(path: str, network: Network) -> None:
    """Raises RequestError if frozen weights of the blocks cannot be divided over devices."""
    for name, tensor in network.blocks.named_parameters():
        if not tensor.requires_grad and (type(tensor) is not torch.nn.Parameter or tensor.dtype not in _DIVISIBLE):
            raise RequestError(
                f"trainer.strategy=fsdp: cannot divide {name} of model.path={path}, which is quantized "
                f"({type(tensor).__name__}, {tensor.dtype}); use trainer=ddp, or the model as it was before"
            )
