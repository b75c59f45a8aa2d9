"""From an objective to what a run trains on, what it is judged by, and its probe set."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from ..config import SOURCES, Config, RequestError
from .batches import Layout, PackedExamples, Pick, TrainingStream, order_batches
from .chat import check_chat_template
from .dialogues import Dialogue, fingerprint, is_held_out
from .held_out import HeldOut, encode_held_out
from .labels import Example, Remark
from .probes import ProbeSet, choose_probes, read_probes
from .remarks import report_remarks
from .rendering import encode_dialogues
from .replies import choose_replies
from .sources import read_dialogues

logger = logging.getLogger(__name__)


Dialogues = Mapping[str, Sequence[Dialogue]]
"""By source."""


@dataclass(frozen=True)
class RunData:
    training: TrainingStream
    held_out: dict[str, HeldOut]
    """By source."""
    probes: ProbeSet


def load_data(config: Config, tokenizer: PreTrainedTokenizerBase) -> RunData:
    """Read the sources, split them by the hash of the opening question, choose probes, lay out the batches.

    Both sources are read whatever the objective: probes and held-out losses are the same for all. Only with probe
    prompts of the user's own can one that is not trained on be missing.

    All that is trained on is tokenized here, so that no dialogue can end a run in the middle.

    Raises:
        RequestError: if a source cannot be read or is too small, own probe prompts are also trained on, or a dialogue
            cannot be rendered so that its reply is learned.
    """
    check_templates(config, tokenizer)
    trained, held_out = read_split(config)
    probes = load_probes(config, held_out, tokenizer)
    if config.probe.file is not None:
        _refuse_trained_probes(config, probes, trained)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    encoded = _encode_held_out(config, held_out, probes, tokenizer)
    return RunData(_stream_batches(config, trained, tokenizer, pad), encoded, probes)


def check_templates(config: Config, tokenizer: PreTrainedTokenizerBase) -> None:
    """Raises RequestError if a chat template is asked for that cannot be used."""
    for key, template in (("objective", config.objective.template), ("probe", config.probe.template)):
        if template == "chat":
            check_chat_template(tokenizer, key)


def read_split(config: Config) -> tuple[Dialogues, Dialogues]:
    """What is trained on, with the replies that are, and what is held out.

    Raises:
        RequestError: if a source cannot be read.
    """
    trained, held_out = _split(_read_sources(config), config.objective.held_out)
    return _with_replies(config, trained), held_out


def _read_sources(config: Config) -> Dialogues:
    weights = config.objective.weights
    needed = [source for source in SOURCES if config.probe.file is None or weights.get(source, 0) > 0]
    found, problems = dict[str, list[Dialogue]](), list[str]()
    for source in needed:
        try:
            found[source] = read_dialogues(config.objective, source)
        except RequestError as error:
            if config.objective.data_dir is None:
                raise  # what is wrong with the hub need not be said twice
            problems.append(str(error))
    if problems:
        raise RequestError("\n".join(problems))
    return found


def _split(dialogues: Dialogues, share: float) -> tuple[Dialogues, Dialogues]:
    """What is trained on, and what is held out; by the opening alone, since one can stand in both sources."""
    held_out = {source: [d for d in rows if is_held_out(d, share)] for source, rows in dialogues.items()}
    trained = {source: [d for d in rows if not is_held_out(d, share)] for source, rows in dialogues.items()}
    return trained, held_out


def _with_replies(config: Config, trained: Dialogues) -> Dialogues:
    """The dialogues with the replies that are trained on; a source without weight stays as it is."""
    weights, reply = config.objective.weights, config.objective.reply
    return {
        source: choose_replies(rows, reply, source) if weights.get(source, 0) > 0 and rows else rows
        for source, rows in trained.items()
    }


def load_probes(config: Config, held_out: Dialogues, tokenizer: PreTrainedTokenizerBase) -> ProbeSet:
    """The user's own probes, or some of what is held out.

    Raises:
        RequestError: if they cannot be read, or are too few.
    """
    if config.probe.file is not None:
        probes = read_probes(config.probe, tokenizer)
    else:
        probes = choose_probes(held_out, config.probe, tokenizer)
    if probes.truncated:
        logger.info("%d of %d probe prompts lost their beginning", probes.truncated, len(probes.ids))
    return probes


def _stream_batches(
    config: Config, trained: Dialogues, tokenizer: PreTrainedTokenizerBase, pad: int
) -> TrainingStream:  # fmt: skip
    objective, trainer = config.objective, config.trainer
    weighted = [source for source, weight in objective.weights.items() if weight > 0]
    for source in weighted:
        if not trained[source]:
            raise RequestError(f"objective.held_out={objective.held_out}: leaves no {source} dialogue to train on")
    remarks = Counter[Remark]()

    def counted(source: str) -> Iterator[Example]:
        for example in encode_dialogues(
            trained[source], objective.template, objective.loss_on, tokenizer, trainer.max_length
        ):
            remarks.update(example.remarks)
            yield example

    encoded = {source: PackedExamples(counted(source)) for source in weighted}
    learned = [dialogue for source in weighted for dialogue in trained[source]]
    report_remarks(remarks, learned, objective, tokenizer, trainer.max_length)

    def example_of(pick: Pick) -> Example:
        source, number = pick
        return encoded[source][number]

    sizes = {source: len(rows) for source, rows in trained.items()}
    batches = order_batches(sizes, objective.weights, trainer.batch_size, trainer.max_steps, config.seed)
    micro = trainer.micro_batch_size
    # `auto` is chosen once the model is there, by the batches themselves.
    return TrainingStream(batches, example_of, micro if isinstance(micro, int) else trainer.batch_size, Layout(pad))


def _encode_held_out(
    config: Config, held_out: Dialogues, probes: ProbeSet, tokenizer: PreTrainedTokenizerBase
) -> dict[str, HeldOut]:
    """What each source is judged by: held-out dialogues whose opening is no probe, in an order of their own.

    Raises:
        RequestError: if the probes leave a source none.
    """
    encoded: dict[str, HeldOut] = {}
    for source, rows in held_out.items():
        remaining = sorted((d for d in rows if d.opening not in probes.openings), key=lambda d: fingerprint(d.opening))
        if not remaining:
            raise RequestError(
                f"probe.size={config.probe.size}: takes every held-out {source} dialogue and leaves none for the "
                "held-out loss; lower it, or raise objective.held_out"
            )
        encoded[source] = encode_held_out(
            remaining[: config.objective.eval_size], config.objective, tokenizer, max_length=config.trainer.max_length
        )
    return encoded


def _refuse_trained_probes(config: Config, probes: ProbeSet, trained: Dialogues) -> None:
    openings = {dialogue.opening for rows in trained.values() for dialogue in rows}
    both = [opening for opening in probes.openings if opening in openings]
    if both:
        raise RequestError(
            f"probe.file={config.probe.file}: {len(both)} of {len(probes.ids)} prompts begin like a training dialogue "
            f"({min(both)[:60]!r}); take them out, a probe must not be learned"
        )
