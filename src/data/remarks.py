"""What is said of the dialogues before they are trained on, once for all of them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from ..config import ObjectiveConfig
from .chat import DAY, reads_clock, takes_system
from .dialogues import Dialogue
from .labels import Remark

logger = logging.getLogger(__name__)


def report_remarks(
    remarks: Counter[Remark], dialogues: Sequence[Dialogue], objective: ObjectiveConfig,
    tokenizer: PreTrainedTokenizerBase, max_length: int,
) -> None:  # fmt: skip
    """Log what a user would want to know of the dialogues that were encoded."""
    name, total = tokenizer.name_or_path, len(dialogues)

    def of_all(remark: Remark) -> str:
        return f"{remarks[remark]:,} of {total:,} dialogues"

    if remarks[Remark.NO_STOP]:
        if objective.template == "chat":
            why = "the chat template does not end the last reply; objective.template=plain ends it"
        else:
            why = f"the tokenizer of model.path={name} has no end-of-text token (eos_token)"
        logger.warning(
            "WARNING: objective.template=%s: no stop token is learned in %s, so the model is not taught to end its "
            "replies: %s", objective.template, of_all(Remark.NO_STOP), why,
        )  # fmt: skip
    if remarks[Remark.FRONT]:
        logger.warning(
            "WARNING: objective.template=chat: the chat template writes more in front of a reply than it ends a prompt "
            "with, such as the mark of the speaker or an empty thought; in %s that is learned as a part of the reply",
            of_all(Remark.FRONT),
        )
    if objective.template == "chat" and reads_clock(tokenizer):
        logger.info("the chat template writes the date of the day: %s is taken, so that every run reads the same", DAY)
    if remarks[Remark.CHANGED]:
        logger.warning(
            "WARNING: model.path=%s: its tokenizer does not keep the text of the replies as it is written (characters, "
            "spaces or case) in %s", name, of_all(Remark.CHANGED),
        )  # fmt: skip
    if remarks[Remark.TYPED]:
        logger.info("%s spell a special token of the model; it is kept as text", of_all(Remark.TYPED))
    if remarks[Remark.REPLY_CUT]:
        logger.info(
            "%s lost the beginning of a reply to trainer.max_length=%d", of_all(Remark.REPLY_CUT), max_length
        )  # fmt: skip
    with_system = sum(dialogue.prompt[0].role == "system" for dialogue in dialogues)
    if with_system and objective.template == "chat" and not takes_system(tokenizer):
        logger.info(
            "%s of %s dialogues have a system turn, which the chat template lacks: it stands in front of the first "
            "question", f"{with_system:,}", f"{total:,}",
        )  # fmt: skip
