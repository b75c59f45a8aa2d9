"""What the passes of a run take by the shapes of the network alone: bytes, and operations of its products."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig

from ..config import Config
from ..config.schema import QLORA
from ..data.batches import Batch, pack
from ..data.labels import IGNORED, Example
from ..training.architecture import build_network, read_architecture
from ..training.loss import labelled_logits, summed_loss, token_losses
from ..training.model import computes_mixed, frozen_dtype, prepare_network
from ..training.network import Network
from ..training.quantization import BITS
from .attention import SHAPES_ALONE
from .counting import Counted, count

META = torch.device("meta")
DEPTHS = (2, 4)
"""Blocks that are counted of a network whose blocks are all alike; what the others take follows."""
ADAM = 8
"""Bytes of the two moments of a trained number."""


@dataclass(frozen=True)
class Pass:
    """Texts of a forward pass: tokens of each, and how many of these are learned."""

    lengths: tuple[int, ...]
    learned: tuple[int, ...]

    @property
    def tokens(self) -> int:
        return sum(self.lengths)

    def times(self, count: int) -> Pass:
        """So many of these texts."""
        return Pass(self.lengths * count, self.learned * count)


class ShapedNetwork:
    """The network of a configuration with shapes and no numbers."""

    def __init__(self, config: Config) -> None:
        """
        Raises:
            RequestError: if its architecture cannot be had.
        """
        self.config = config
        self.architecture = read_architecture(config.model)
        self.dtype = frozen_dtype(config.adapter, config.trainer)
        self.is_mixed = computes_mixed(config.adapter, config.trainer)
        network = self.build(self.dtype, META)
        tensors = list(network.model.parameters())
        text = network.causal.config.get_text_config()
        self.blocks, self.width, self.vocabulary = len(network.blocks), int(text.hidden_size), int(text.vocab_size)
        self.trained = sum(p.numel() for p in tensors if p.requires_grad)
        """Numbers that are trained."""
        self.weights = sum(p.numel() * p.element_size() for p in tensors)
        if config.adapter.kind == QLORA:  # the products of the blocks alone are in 4 bits
            frozen = (p for p in network.blocks.parameters() if p.ndim > 1 and not p.requires_grad)
            self.weights -= int(sum(p.numel() * (p.element_size() - BITS / 8) for p in frozen))
        """Bytes of all weights, an adapter's included."""
        self.upcast = 0 if self.dtype == torch.float32 else 4 * sum(p.numel() for p in network.blocks[0].parameters())
        """Bytes of a block in float32, which capture makes where weights are coarser."""
        self.is_uniform = len({_describe(block) for block in network.blocks}) == 1 and self.blocks > max(DEPTHS)

    def build(self, dtype: torch.dtype, device: torch.device, blocks: int | None = None) -> Network:
        """The network with random weights and what is trained; its first blocks alone where a number is given."""
        architecture = self.architecture if blocks is None else _with_depth(self.architecture, blocks, self.blocks)
        causal = build_network(architecture, self.config.model.path, dtype, device)
        return prepare_network(causal, self.config.adapter, self.config.trainer, self.config.seed)

    def count_step(self, texts: Pass, blocks: int | None = None) -> Counted:
        """A forward and a backward pass: what it keeps, and the gradients that it leaves.

        Args:
            blocks: of a network with fewer.
        """

        def step(network: Network) -> Callable[[], None]:
            return lambda: summed_loss(network.causal, _row(texts)).backward()  # type: ignore[no-untyped-call]

        # Mixed precision computes in copies of the weights; its gradients are of the weights, in float32.
        counted = self._count(torch.bfloat16 if self.is_mixed else self.dtype, step, blocks)
        return Counted(counted.peak + (self.weights // 2 + 2 * self.trained if self.is_mixed else 0), counted.flops)

    def count_forward(self, texts: Pass) -> Counted:
        """A pass that only evaluates: held-out texts, whose logits are made and not kept."""

        def forward(network: Network) -> Callable[[], None]:
            def evaluation() -> None:
                batch = _row(texts)
                token_losses(labelled_logits(network.causal, batch), batch["next"])

            return torch.no_grad()(evaluation)

        return self._count(self.dtype, forward)

    def count_capture(self, prompts: int, length: int) -> Counted:
        """A pass of the probes, padded to one length, in float32 whatever the weights are."""
        ids = torch.zeros((prompts, length), dtype=torch.long, device=META)

        def forward(network: Network) -> Callable[[], None]:
            return torch.no_grad()(lambda: network.trunk(input_ids=ids, use_cache=False))

        counted = self._count(torch.float32, forward)
        return Counted(counted.peak + self.upcast, counted.flops)

    def _count(
        self, dtype: torch.dtype, computation: Callable[[Network], Callable[[], Any]], wanted: int | None = None
    ) -> Counted:
        found = []
        for blocks in DEPTHS if self.is_uniform else (None,):
            network = self.build(dtype, META, blocks)
            network.causal.set_attn_implementation(SHAPES_ALONE)
            found.append(count(computation(network)))
        if len(found) == 1:
            return found[0]
        peak, flops = (
            extrapolate([getattr(one, name) for one in found], wanted or self.blocks) for name in ("peak", "flops")
        )
        return Counted(int(peak), flops)


def extrapolate(found: list[float], blocks: int, depths: tuple[int, int] = DEPTHS) -> float:
    """What a network of so many blocks takes, by what two with fewer do."""
    (few, many), (low, high) = depths, found
    return low + (high - low) / (many - few) * (blocks - few)


def _describe(block: nn.Module) -> tuple[Any, ...]:
    return tuple((name, tuple(p.shape)) for name, p in block.named_parameters())


def _with_depth(architecture: PreTrainedConfig, blocks: int, whole: int) -> PreTrainedConfig:
    """The architecture with its first blocks alone, and of lists that say something of each what they say of these."""
    cut = deepcopy(architecture)
    text = cut.get_text_config()
    text.num_hidden_layers = blocks
    for name, value in vars(text).items():
        if isinstance(value, list) and len(value) == whole:
            setattr(text, name, value[:blocks])
    return cut


def make_batch(texts: Pass, token: Callable[[int], int] = lambda place: 0) -> Batch:
    """The texts in one row, as a step has them."""
    examples = []
    for length, learned in zip(texts.lengths, texts.learned, strict=True):
        ids = [token(place) for place in range(length)]
        examples.append(Example(ids, [IGNORED] * (length - learned) + ids[length - learned :]))
    return pack(examples, 0)


def _row(texts: Pass) -> Batch:
    batch: dict[str, Any] = make_batch(texts)
    moved = {name: value.to(META) if isinstance(value, Tensor) else value for name, value in batch.items()}
    return moved | {"position_ids": None}  # whose numbers would say where dialogues begin
