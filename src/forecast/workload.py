"""How long the texts of a run are: read off its dialogues where they are here, else assumed, and said so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from ..assets import locate
from ..config import Config
from ..data.labels import Example
from ..data.objectives import RunData, load_data
from ..training.architecture import tokenizer_path
from ..training.loading import load_tokenizer
from .shapes import Pass

TOKENS, LEARNED, PROBE = 170, 60, 96
"""Of a dialogue, of its last reply and of a probe: means of HH-RLHF by the tokenizer of Llama 2."""
LONGEST = 1.7
"""Tokens of the longest step of a run beside those of the mean one, of eight such dialogues."""


@dataclass(frozen=True)
class Workload:
    typical: Pass
    """A forward pass of training whose tokens are next to the mean."""
    largest: Pass
    """The one with the most tokens."""
    tokens: float
    """Of an optimizer step, on average."""
    probes: tuple[int, ...]
    """Tokens of each."""
    evaluated: tuple[Pass, ...]
    """Held-out texts, each by itself."""
    origin: str
    """Where these numbers are from, in words."""


def read_workload(config: Config) -> Workload:
    """
    Raises:
        RequestError: as `load_data`, of dialogues that are here.
    """
    objective, tokenizer = config.objective, tokenizer_path(config.model)
    here = objective.dialogues == "embedded" or objective.data_dir is not None
    folder = Path(locate(tokenizer)).is_dir() or isinstance(try_to_load_from_cache(tokenizer, "tokenizer.json"), str)
    if not (here and folder):
        what = "the dialogues are" if not here else "the tokenizer is"
        return assume_workload(
            config, f"assumed, {what} not here: {TOKENS} tokens a dialogue, {LEARNED} of them learned"
        )
    data = load_data(config, load_tokenizer(config.model))
    return measure_workload(config, data)


def assume_workload(config: Config, origin: str) -> Workload:
    """A workload of dialogues that are all alike."""
    trainer, objective = config.trainer, config.objective
    length = min(TOKENS, trainer.max_length)
    micro = _micro(config)
    longest = min(int(TOKENS * LONGEST), trainer.max_length)
    text = Pass((length,), (min(LEARNED, length - 1),))
    evaluated = 2 * (objective.eval_size + min(objective.eval_pairs, objective.eval_size))
    return Workload(
        text.times(micro), Pass((longest,), (min(LEARNED, longest - 1),)).times(micro), trainer.batch_size * length,
        (min(PROBE, config.probe.max_length),) * config.probe.size, (text,) * evaluated, origin,
    )  # fmt: skip


def _micro(config: Config) -> int:
    micro = config.trainer.micro_batch_size
    return micro if isinstance(micro, int) else config.trainer.batch_size


def measure_workload(config: Config, data: RunData) -> Workload:
    """The workload of dialogues that were read."""
    passes = list(_passes(data, _micro(config)))
    mean = sum(one.tokens for one in passes) / len(passes)
    texts = [t.example for s in data.held_out.values() for t in (*s.chosen, *s.rejected.values())]
    return Workload(
        min(passes, key=lambda one: abs(one.tokens - mean)), max(passes, key=lambda one: one.tokens),
        sum(one.tokens for one in passes) / config.trainer.max_steps, tuple(map(len, data.probes.ids)),
        tuple(_pass_of([text]) for text in texts), "read off the dialogues",
    )  # fmt: skip


def _passes(data: RunData, micro: int) -> Iterator[Pass]:
    for picks in data.training.batches:
        examples = iter([data.training.encode(pick) for pick in picks])
        while part := list(islice(examples, micro)):
            yield _pass_of(part)


def _pass_of(examples: Iterable[Example]) -> Pass:
    examples = list(examples)
    return Pass(tuple(len(one.ids) for one in examples), tuple(one.targets for one in examples))
