"""Random updates of a real adapter sent through a real model: movement as smooth as a model makes it."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from src.clouds.capture import capture_clouds
from src.clouds.layers import choose_layers
from src.config import AdapterConfig, ModelConfig, ObjectiveConfig, TrainerConfig
from src.data.probes import encode_prompt
from src.data.rendering import render_prompt
from src.data.sources import read_dialogues
from src.training.model import Network, load_network, load_tokenizer
from tests.support.processes import SHARED

from .pairs import excess_of
from .plant import CHANGE, change_between

PROBES = 256
MAX_CHARS, MAX_TOKENS = 400, 128
"""Of a prompt: short ones are read in less time."""
STORIES = SHARED / "models" / "stories260k"
"""A model that was really trained; it lies beside the repository, not in it."""


def update_trial(rng: np.random.Generator, model: str) -> dict[str, float]:
    """One update, seen by one block: every entry of the fresh adapter moves by as much, at random."""
    network, prompts = _load(model)
    layers = choose_layers(len(network.blocks))
    layer = [layers[rng.integers(len(layers))]]
    probes = [prompts[n] for n in rng.choice(len(prompts), PROBES, replace=False)]
    adapter = [tensor for tensor in network.model.parameters() if tensor.requires_grad]
    start = [tensor.detach().clone() for tensor in adapter]
    ways = [torch.from_numpy(rng.standard_normal(tensor.shape, np.float32)) for tensor in adapter]

    def capture(size: float) -> np.ndarray:
        _assign(adapter, [tensor + size * way for tensor, way in zip(start, ways, strict=True)])
        clouds, _ = capture_clouds(network.trunk, network.blocks, layer, probes, pooling="last", batch_size=32)
        return next(iter(clouds.values()))

    size, before = 1e-3, capture(0)
    for _ in range(3):
        size *= CHANGE / change_between(before, capture(size))
    after = capture(size)
    _assign(adapter, start)
    return excess_of(before, after) | {"layer": float(layer[0]), "change": change_between(before, after)}


@torch.no_grad()
def _assign(adapter: list[torch.nn.Parameter], values: list[torch.Tensor]) -> None:
    for tensor, value in zip(adapter, values, strict=True):
        tensor.copy_(value)


@cache
def _load(name: str) -> tuple[Network, list[list[int]]]:
    """The model with a fresh adapter and the tokens of all prompts that are short, once in each process."""
    torch.set_num_threads(1)
    own = name == "stories"
    model = ModelConfig(name=name, path=str(STORIES) if own else f"embedded:{name}", stage="pretrained")
    network = load_network(model, AdapterConfig(kind="lora"), TrainerConfig(precision="float32"), seed=0)
    tokenizer = load_tokenizer(model)
    objective = (
        ObjectiveConfig(name="mixed", dialogues="hh_rlhf", data_dir=str(SHARED / "hh-rlhf")) if own
        else ObjectiveConfig(name="mixed", dialogues="embedded")
    )  # fmt: skip
    prompts = {dialogue.prompt for source in ("helpful", "harmless") for dialogue in read_dialogues(objective, source)}
    texts = sorted({render_prompt(prompt, "plain", tokenizer) for prompt in prompts})
    return network, [encode_prompt(text, "plain", tokenizer)[-MAX_TOKENS:] for text in texts if len(text) <= MAX_CHARS]
