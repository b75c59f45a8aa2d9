"""What reading the rows costs: `python -m tests.benchmarks.capture [tiny|100m]`.

Capture of the last-token rows of all layers against one plain forward of the trunk over the same prompts, and against
`output_hidden_states=True` on the whole model. Time: in one process, the order alternating, medians of fifteen. Memory:
the peak of all tensors alive, above that of the plain forward.
"""

from __future__ import annotations

import statistics
import sys
import time
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import LlamaConfig, LlamaForCausalLM

from src.clouds.capture import _pad, capture_clouds
from src.config import AdapterConfig, ModelConfig, TrainerConfig
from src.training.model import load_network
from src.training.network import Network

ROUNDS = 15
SIZES = {"tiny": (256, 32), "100m": (32, 8)}
"""Prompts, and prompts per forward pass."""


def make_network(name: str) -> Network:
    if name == "tiny":
        model = ModelConfig(name="tiny", path="embedded:tiny", stage="pretrained")
        return load_network(model, AdapterConfig(kind="full"), TrainerConfig(precision="float32"), seed=0)
    config = LlamaConfig(
        vocab_size=32000, hidden_size=768, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=12
    )
    causal = LlamaForCausalLM(config)
    return Network(causal, causal)


def make_ways(name: str) -> tuple[Network, dict[str, Callable[[], object]]]:
    """The network and what is compared on it, over the same prompts in the same batches."""
    network = make_network(name)
    network.causal.eval()
    count, batch = SIZES[name]
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(20, 100, (count,), generator=generator).sort().values.tolist()
    prompts = [torch.randint(5, 1000, (n,), generator=generator).tolist() for n in lengths]
    layers = list(range(1, len(network.blocks) + 1))
    starts = range(0, count, batch)

    @torch.inference_mode()
    def trunk() -> None:
        for start in starts:
            ids_BT, mask_BT = _pad(prompts[start : start + batch], torch.device("cpu"))
            network.trunk(input_ids=ids_BT, attention_mask=mask_BT, use_cache=False)

    @torch.inference_mode()
    def hidden_states() -> None:
        for start in starts:
            ids_BT, mask_BT = _pad(prompts[start : start + batch], torch.device("cpu"))
            network.causal(input_ids=ids_BT, attention_mask=mask_BT, use_cache=False, output_hidden_states=True)

    def capture() -> None:
        capture_clouds(network.trunk, network.blocks, layers, prompts, pooling="last", batch_size=batch)

    return network, {"trunk": trunk, "capture": capture, "output_hidden_states": hidden_states}


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Peak(TorchDispatchMode):
    """Bytes of the tensors that operations made and that are alive, at their highest."""

    def __init__(self) -> None:
        super().__init__()
        self.alive = self.peak = 0
        self.known: weakref.WeakSet[Any] = weakref.WeakSet()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, torch.Tensor) and (storage := leaf.untyped_storage()) not in self.known:
                self.known.add(storage)
                self._change(storage.nbytes())
                weakref.finalize(storage, self._change, -storage.nbytes())
        return out

    def _change(self, size: int) -> None:
        self.alive += size
        self.peak = max(self.peak, self.alive)


def peak_megabytes(work: Callable[[], object]) -> float:
    with Peak() as peak:
        work()
    return peak.peak / 2**20


def main(name: str) -> None:
    network, ways = make_ways(name)
    for work in ways.values():
        work()  # warm caches and thread pools
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(ROUNDS):
        for way in list(ways) if turn % 2 else list(reversed(ways)):
            taken[way].append(seconds(ways[way]))
    count, batch = SIZES[name]
    width, blocks = network.causal.config.hidden_size, len(network.blocks)
    rows, output = count * width * blocks * 4 / 2**20, batch * 100 * width * 4 / 2**20
    print(f"{name}: {sum(p.numel() for p in network.causal.parameters()):,} parameters, {count} prompts")
    print(f"{'the rows themselves':>22}  {rows:6.1f} MB, one block's output up to {output:.1f} MB")
    least = peak_megabytes(ways["trunk"])
    for way, times in taken.items():
        ratio = statistics.median(a / b for a, b in zip(times, taken["trunk"], strict=True))
        extra = peak_megabytes(ways[way]) - least
        print(f"{way:>22}  {statistics.median(times):6.3f} s  {ratio:5.2f} x  {extra:+7.1f} MB")


if __name__ == "__main__":
    for wanted in sys.argv[1:] or SIZES:
        main(wanted)
