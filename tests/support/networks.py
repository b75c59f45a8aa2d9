"""Small models, loaded as a run loads its own."""

from __future__ import annotations

from src.config import AdapterConfig, ModelConfig, TrainerConfig
from src.training.model import Network, load_network

PROMPTS = [[5, 6, 7], [9, 10, 11, 12, 13, 14, 15], [8], [20, 21, 22, 23], [30, 31]]


def make_network(path: str, **adapter: object) -> Network:
    model = ModelConfig(name="m", path=path, stage="pretrained")
    chosen = AdapterConfig(**({"kind": "lora"} | adapter))
    return load_network(model, chosen, TrainerConfig(precision="float32"), seed=0)
