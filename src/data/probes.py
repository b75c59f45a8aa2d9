"""The probe set: fixed prompts whose activations are the clouds, the same for every run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from ..config import SOURCES, ProbeConfig, RequestError
from .dialogues import Dialogue, Turn, fingerprint, opening_of
from .jsonl import read_prompts
from .rendering import locate_prompt, render_prompt
from .tokens import Span, TextTokenizer


@dataclass(frozen=True)
class ProbeSet:
    ids: list[list[int]]
    """Tokens of each prompt, row order of every cloud."""
    sources: list[str]
    """Where each prompt comes from; the sources take turns."""
    hash: str
    """SHA-256 over the raw turns and the rendering; runs that differ in it are never compared."""
    truncated: int
    """Prompts that lost their beginning to `probe.max_length`."""
    openings: frozenset[str]


def choose_probes(
    held_out: Mapping[str, Sequence[Dialogue]], config: ProbeConfig, tokenizer: PreTrainedTokenizerBase
) -> ProbeSet:
    """Half of the probes from each source, by text alone: neither model, objective nor seed has a say.

    Candidates go by the hash of their text, so that a larger set begins with the smaller one.

    Raises:
        RequestError: if too few prompts are held out.
    """
    half = config.size // 2
    chosen = {source: _candidates(held_out[source], config.max_chars, tokenizer)[:half] for source in SOURCES}
    fewest = min(len(prompts) for prompts in chosen.values())
    if fewest < half:
        raise RequestError(
            f"probe.size={config.size}: needs {half} held-out prompts of each source with at most "
            f"probe.max_chars={config.max_chars} characters, there are {fewest}; lower probe.size, or raise "
            "objective.held_out or probe.max_chars"
        )
    rows = [(source, prompts[n]) for n in range(half) for source, prompts in chosen.items()]
    return _make_probes(rows, config, tokenizer)


def read_probes(config: ProbeConfig, tokenizer: PreTrainedTokenizerBase) -> ProbeSet:
    """The first `probe.size` prompts of the user's own file.

    Raises:
        RequestError: if there are fewer, or a line is no prompt.
    """
    prompts = list(dict.fromkeys(read_prompts(Path(config.file or "").expanduser())))
    if len(prompts) < config.size:
        raise RequestError(
            f"probe.file={config.file}: has {len(prompts)} different prompts, probe.size={config.size} are wanted; "
            "lower probe.size or add prompts"
        )
    return _make_probes([("own", prompt) for prompt in prompts[: config.size]], config, tokenizer)


def _make_probes(
    rows: Sequence[tuple[str, tuple[Turn, ...]]], config: ProbeConfig, tokenizer: PreTrainedTokenizerBase
) -> ProbeSet:
    rendered = [locate_prompt(prompt, config.template, tokenizer, "probe") for _, prompt in rows]
    texts = [one.text for one in rendered]
    ids = encode_prompts(texts, [one.content for one in rendered], config.template, tokenizer)
    raw = [[(turn.role, turn.text) for turn in prompt] for _, prompt in rows]
    return ProbeSet(
        ids=[tokens[-config.max_length :] for tokens in ids],
        sources=[source for source, _ in rows],
        hash=fingerprint(json.dumps([raw, texts, config.max_length])),
        truncated=sum(len(tokens) > config.max_length for tokens in ids),
        openings=frozenset(opening_of(prompt) for _, prompt in rows),
    )


def encode_prompt(text: str, template: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Tokens of a rendered prompt; the chat template writes its special tokens itself."""
    return encode_prompts([text], [[]], template, tokenizer)[0]


def encode_prompts(
    texts: Sequence[str], typed: Sequence[Sequence[Span]], template: str, tokenizer: PreTrainedTokenizerBase
) -> list[list[int]]:
    """As `encode_prompt`, of each; what is `typed` in a text is text even where it spells a special token."""
    tokens = TextTokenizer(tokenizer).encode(texts, typed, add_special_tokens=template == "plain")
    # Some tokenizers end every text; a prompt is not at its end.
    ends = {tokenizer.eos_token_id} if template == "plain" else set()
    return [one.ids[:-1] if len(one.ids) > 1 and one.ids[-1] in ends else one.ids for one in tokens]


def _candidates(
    dialogues: Sequence[Dialogue], max_chars: int, tokenizer: PreTrainedTokenizerBase
) -> list[tuple[Turn, ...]]:
    prompts = {render_prompt(d.prompt, "plain", tokenizer): d.prompt for d in dialogues}
    short = [text for text in prompts if len(text) <= max_chars]
    return [prompts[text] for text in sorted(short, key=fingerprint)]
