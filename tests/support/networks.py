"""Small models, loaded as a run loads its own."""

from __future__ import annotations

from src.config import AdapterConfig, ModelConfig, TrainerConfig
from src.config.adapter import complete_adapter
from src.training.model import load_network
from src.training.network import Network

PROMPTS = [[5, 6, 7], [9, 10, 11, 12, 13, 14, 15], [8], [20, 21, 22, 23], [30, 31]]


def make_adapter(**settings: object) -> AdapterConfig:
    """As a request gives it, its defaults filled in."""
    adapter = AdapterConfig(**({"kind": "lora"} | settings))
    complete_adapter(adapter)
    return adapter


def make_network(path: str, **adapter: object) -> Network:
    model = ModelConfig(name="m", path=path, stage="pretrained")
    return load_network(model, make_adapter(**adapter), TrainerConfig(precision="float32"), seed=0)
