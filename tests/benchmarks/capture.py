"""What reading the rows costs: `python -m tests.benchmarks.capture [tiny|100m]`.

Capture of the last-token rows of all layers against one plain forward of the trunk over the same prompts, and against
`output_hidden_states=True` on the whole model. Paired in one process, the order alternating; medians of five.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from src.clouds.capture import _pad, capture_clouds
from src.config import AdapterConfig, ModelConfig, ProbeConfig, TrainerConfig
from src.training.model import Network, load_network

PROMPTS, BATCH, ROUNDS = 128, 32, 5


def make_network(name: str) -> Network:
    if name == "tiny":
        model = ModelConfig(name="tiny", path="embedded:tiny", stage="pretrained")
        return load_network(
            model, AdapterConfig(kind="full"), TrainerConfig(precision="float32"), ProbeConfig(), seed=0
        )
    config = LlamaConfig(
        vocab_size=32000, hidden_size=768, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=12
    )
    causal = LlamaForCausalLM(config)
    return Network(causal, causal)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(name: str) -> None:
    network = make_network(name)
    network.causal.eval()
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(20, 100, (PROMPTS,), generator=generator).sort().values.tolist()
    prompts = [torch.randint(5, 1000, (n,), generator=generator).tolist() for n in lengths]
    parts = [_pad(prompts[i : i + BATCH], torch.device("cpu")) for i in range(0, PROMPTS, BATCH)]
    layers = list(range(1, len(network.blocks) + 1))

    @torch.inference_mode()
    def trunk() -> None:
        for ids_BT, mask_BT in parts:
            network.trunk(input_ids=ids_BT, attention_mask=mask_BT, use_cache=False)

    @torch.inference_mode()
    def hidden_states() -> None:
        for ids_BT, mask_BT in parts:
            network.causal(input_ids=ids_BT, attention_mask=mask_BT, use_cache=False, output_hidden_states=True)

    def capture() -> None:
        capture_clouds(network.trunk, network.blocks, layers, prompts, pooling="last", batch_size=BATCH)

    ways = {"trunk": trunk, "capture": capture, "output_hidden_states": hidden_states}
    for work in ways.values():
        work()  # warm caches and thread pools
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(ROUNDS):
        for way in list(ways) if turn % 2 else list(reversed(ways)):
            taken[way].append(seconds(ways[way]))
    base = statistics.median(taken["trunk"])
    print(f"{name}: {sum(p.numel() for p in network.causal.parameters()):,} parameters, {PROMPTS} prompts")
    for way, times in taken.items():
        print(f"{way:>22}  {statistics.median(times):7.3f} s  {statistics.median(times) / base:5.2f} x")


if __name__ == "__main__":
    for wanted in sys.argv[1:] or ["tiny", "100m"]:
        main(wanted)
