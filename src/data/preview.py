"""What a configuration would train on, in words: counts, lengths, what is cut off, dialogues as they are learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median

from transformers import PreTrainedTokenizerBase

from ..config import Config
from .dialogues import Dialogue
from .labels import IGNORED, Example, Remark
from .objectives import check_templates, load_probes, read_split
from .probes import ProbeSet
from .remarks import report_remarks
from .rendering import encode_dialogues
from .tokens import TextTokenizer

SHOWN = 3
"""Dialogues of each source that are shown whole."""
LEARNED = "[[", "]]"
"""What stands around the part that is learned."""


def preview_data(config: Config, tokenizer: PreTrainedTokenizerBase) -> Iterator[str]:
    """Lines about the dialogues that would be trained on, and about the probes.

    Raises:
        RequestError: as `load_data`; but own probes that are also trained on are counted.
    """
    check_templates(config, tokenizer)
    trained, held_out = read_split(config)
    probes = load_probes(config, held_out, tokenizer)
    yield f"probes: {len(probes.ids)}, of which {probes.truncated} lose their beginning to probe.max_length"
    remarks, learned = Counter[Remark](), list[Dialogue]()
    for source, weight in config.objective.weights.items():
        if weight > 0:
            yield from _preview_source(
                config, source, trained[source], len(held_out[source]), probes, tokenizer, remarks
            )
            learned += trained[source]
    report_remarks(remarks, learned, config.objective, tokenizer, config.trainer.max_length)


def _preview_source(
    config: Config, source: str, dialogues: Sequence[Dialogue], held_out: int, probes: ProbeSet,
    tokenizer: PreTrainedTokenizerBase, remarks: Counter[Remark],
) -> Iterator[str]:  # fmt: skip
    yield f"{source}: {len(dialogues):,} dialogues to train on, {held_out:,} held out"
    if not dialogues:
        return
    objective, max_length = config.objective, config.trainer.max_length
    lengths, shown, found = list[int](), list[Example](), Counter[Remark]()
    for example in encode_dialogues(dialogues, objective.template, objective.loss_on, tokenizer, max_length):
        lengths.append(len(example.ids))
        found.update(example.remarks)
        if len(shown) < SHOWN:
            shown.append(example)
    remarks.update(found)
    total = len(dialogues)
    alike = Counter((dialogue.prompt, dialogue.chosen) for dialogue in dialogues)
    openings = Counter(dialogue.opening for dialogue in dialogues)
    yield f"  tokens: {min(lengths):,} to {max(lengths):,}, median {median(lengths):,.0f}, {sum(lengths):,} in all"
    yield (
        f"  cut at trainer.max_length={max_length}: {found[Remark.CUT]:,} ({found[Remark.CUT] / total:.1%}) lose their "
        f"beginning, {found[Remark.REPLY_CUT]:,} of them some of a reply"
    )
    yield (
        f"  with a rejected reply: {sum(one.rejected is not None for one in dialogues):,}; with a system turn: "
        f"{sum(one.prompt[0].role == 'system' for one in dialogues):,}"
    )
    yield (
        f"  said before: {total - len(alike):,}; with the opening of another: "
        f"{sum(count for count in openings.values() if count > 1):,}; with that of a probe: "
        f"{sum(count for opening, count in openings.items() if opening in probes.openings):,}"
    )
    for dialogue, example in zip(dialogues, shown, strict=False):
        yield f"  {dialogue.origin}, what is learned in {' '.join(LEARNED)}:"
        yield from (f"    {line}" for line in mark_learned(example, tokenizer).splitlines())


def mark_learned(example: Example, tokenizer: PreTrainedTokenizerBase) -> str:
    """The text of an example as its tokens say it, marks around what is learned."""
    pairs = zip(example.ids, example.labels, strict=True)
    runs = [
        (learned, [token for token, _ in run]) for learned, run in groupby(pairs, key=lambda pair: pair[1] != IGNORED)
    ]
    texts = TextTokenizer(tokenizer).decode([tokens for _, tokens in runs])
    return "".join(
        text.join(LEARNED) if learned else text for (learned, _), text in zip(runs, texts, strict=True)
    )  # fmt: skip
