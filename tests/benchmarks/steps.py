"""What padding costs a training step: `python -m tests.benchmarks.steps [overrides] [steps=12]`.

The same dialogues, forward, backward and AdamW: end to end in one row, as a run takes them; each in a padded row of
its own; and padded after sorting by length within 32 steps, which makes steps all short or all long. In one process,
the order alternating, medians of five; tokens are those of dialogues, not of padding. By default the embedded model:

    python -m tests.benchmarks.steps model=local model.path=<folder> objective=harmless objective.data_dir=<folder>
"""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace

import torch

from src.config.resolve import resolve_config
from src.data.batches import Batch
from src.data.labels import Example
from src.training.inputs import RunInputs, load_inputs
from src.training.loss import summed_loss

from ..support.builders import composed
from .timing import ratio, take_turns

WINDOW = 32


def sort_within(steps: list[list[Example]]) -> list[list[Example]]:
    """As padded steps are laid out where speed alone counts."""
    size, rng, sorted_steps = len(steps[0]), random.Random(0), []
    for start in range(0, len(steps), WINDOW):
        window = sorted((e for step in steps[start : start + WINDOW] for e in step), key=lambda e: len(e.ids))
        cut = [window[n : n + size] for n in range(0, len(window), size)]
        rng.shuffle(cut)
        sorted_steps += cut
    return sorted_steps


def train(inputs: RunInputs, batches: Sequence[Batch]) -> None:
    causal, device = inputs.network.causal, next(inputs.network.causal.parameters()).device
    optimizer = torch.optim.AdamW([p for p in causal.parameters() if p.requires_grad], lr=1e-5)
    for given in batches:
        batch = {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in given.items()}
        (summed_loss(causal, batch) / len(batch["next"])).backward()
        optimizer.step()
        optimizer.zero_grad()
    if device.type == "cuda":
        torch.cuda.synchronize()


def main(*words: str) -> None:
    count = next((int(word.removeprefix("steps=")) for word in words if word.startswith("steps=")), 12)
    overrides = [word for word in words if not word.startswith("steps=")]
    inputs = load_inputs(resolve_config(composed(*overrides, f"trainer.max_steps={WINDOW}", "schedule.repeats=1")))
    if torch.cuda.is_available():
        inputs.network.causal.cuda()
    stream = inputs.data.training
    steps = [[stream.encode(pick) for pick in picks] for picks in stream.batches]
    chosen = {"one row": steps, "padded": steps, "padded, sorted": sort_within(steps)}
    layouts = {way: replace(stream.layout, packed=way == "one row" and inputs.network.packed) for way in chosen}
    laid = {way: [layouts[way](step) for step in taken[:count]] for way, taken in chosen.items()}
    taken = take_turns({way: (lambda batches=batches: train(inputs, batches)) for way, batches in laid.items()})
    print(f"{' '.join(overrides) or 'embedded'}: {count} steps of {len(steps[0])} dialogues")
    for way, batches in laid.items():
        tokens = sum(batch["tokens"] for batch in batches)
        speed, times = tokens / statistics.median(taken[way]), ratio(taken, way, "one row")
        print(f"{way:>16}  {speed:8.0f} tokens/s  {times:5.2f} x the time of one row, {tokens:,} tokens")


if __name__ == "__main__":
    main(*sys.argv[1:])
