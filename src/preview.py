"""`python -m src.preview`: what `python -m src.run` with the same words would train on. Nothing is trained."""

from __future__ import annotations

from omegaconf import DictConfig

from .cli import launch
from .config import Config
from .config.resolve import resolve_config


def preview(composed: DictConfig) -> None:
    """Compose, validate, read the dialogues, tokenize them and say what they are."""
    config = resolve_config(composed)
    # Late: composing and checking a request must not wait for torch.
    from .data.preview import preview_data
    from .training.loading import load_tokenizer
    from .training.model import check_template

    tokenizer = load_tokenizer(config.model)
    check_template(config, tokenizer)
    for line in preview_data(config, tokenizer):
        print(line, flush=True)


if __name__ == "__main__":
    launch(preview, "config", Config)
