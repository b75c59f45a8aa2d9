"""A model's own chat template: text written by code that came with the model, so it is bounded and looked at.

Chat templates are programs. They may leave out text, refuse a role, look at the clock, or never end.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from transformers import PreTrainedTokenizerBase

from ..config import RequestError
from ..system.limits import bounded
from .dialogues import Turn, without_system

MAX_SECONDS = 5.0
"""Of one rendering, which usually takes a ten-thousandth of it."""
MAX_MEMORY = 2**28
"""Bytes that one rendering may take."""
MAX_MARKUP = 100_000
"""Characters that a template may write around the turns of a dialogue."""
CLOCK = "strftime_now"
"""What a template calls to write the date of the day."""
DAY = "26 Jul 2024"
"""The date that is written: a run must read the same every day. It is the one of Llama 3 where there is no clock."""
_CODES = {
    "%d": "26", "%-d": "26", "%e": "26", "%b": "Jul", "%B": "July", "%m": "07", "%-m": "7", "%Y": "2024", "%y": "24",
    "%a": "Fri", "%A": "Friday", "%j": "208", "%H": "12", "%I": "12", "%M": "00", "%S": "00", "%f": "000000",
    "%p": "PM", "%F": "2024-07-26", "%T": "12:00:00", "%D": "07/26/24",
}  # fmt: skip
_REPLACED = "".join(f"|replace({code!r}, {value!r})" for code, value in _CODES.items())
_STOPPED_CLOCK = f"{{%- macro {CLOCK}(format) -%}}{{{{ format{_REPLACED} }}}}{{%- endmacro -%}}"
"""Written in front of a template that looks at the clock."""
_RENDERINGS = 8
"""Of one text, to see whether they differ."""
_TRIAL = (Turn("user", "Who was it that knocked?"), Turn("assistant", "Nobody, only the wind."))
_SYSTEM = Turn("system", "Whisper, for they sleep.")
_SEPARATOR = "\n\n"


def render_chat(
    turns: Sequence[Turn], tokenizer: PreTrainedTokenizerBase, *, add_generation_prompt: bool, key: str = "objective"
) -> str:
    """The turns in the template. Where it has no system turn, the first question begins with what that said.

    Args:
        key: `objective` or `probe`, whose `template` asked for it.

    Raises:
        RequestError: if the template cannot be rendered within bounds, or leaves out what the turns say.
    """
    check_chat_template(tokenizer, key)
    try:
        return _render(fit_system(turns, tokenizer), tokenizer, add_generation_prompt)
    except Exception as error:
        # Whatever a template raises, and jinja on its behalf, is a fault of the template.
        raise RequestError(f"{key}.template=chat: {_explain(error, tokenizer)}") from error


def check_chat_template(tokenizer: PreTrainedTokenizerBase, key: str) -> None:
    """Raises RequestError if the template does not write what a question and its reply say."""
    problem = _find_problem(str(tokenizer.chat_template), tokenizer)
    if problem:
        raise RequestError(f"{key}.template=chat: {problem}")


def takes_system(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the template writes what a system turn says."""
    return _takes_system(str(tokenizer.chat_template), tokenizer)


def reads_clock(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the template writes the date of the day."""
    return CLOCK in str(tokenizer.chat_template)


def fit_system(turns: Sequence[Turn], tokenizer: PreTrainedTokenizerBase) -> Sequence[Turn]:
    """The turns as the template takes them: without a system turn of its own, the question begins with what it said."""
    if not turns or turns[0].role != "system" or takes_system(tokenizer):
        return turns
    question, *later = without_system(turns)
    return [Turn(question.role, turns[0].text + _SEPARATOR + question.text), *later]


@lru_cache(maxsize=8)  # by the template's text: a tokenizer may be given another one
def _find_problem(template: str, tokenizer: PreTrainedTokenizerBase) -> str | None:
    try:
        text = _render(_TRIAL, tokenizer, add_generation_prompt=False)
        _render(_TRIAL[:1], tokenizer, add_generation_prompt=True)
    except Exception as error:
        if isinstance(error, (TimeoutError, MemoryError)) or not _takes_parts(tokenizer):
            return _explain(error, tokenizer)
        text = ""
    at = text.find(_TRIAL[0].text)
    if at >= 0 and text.find(_TRIAL[1].text, at) >= 0:
        if len({_render(_TRIAL, tokenizer, add_generation_prompt=False) for _ in range(_RENDERINGS)}) == 1:
            return None
        return (
            f"the chat template of model.path={tokenizer.name_or_path} writes another text each time; use "
            "template=plain, or give another model.path"
        )
    why = "it wants content as a list of parts" if _takes_parts(tokenizer) else "it leaves out what is said"
    return (
        f"the rendered text does not contain the reply: {why}; use template=plain, or give a "
        f"model.path whose chat template takes text (now {tokenizer.name_or_path})"
    )


@lru_cache(maxsize=8)
def _takes_system(template: str, tokenizer: PreTrainedTokenizerBase) -> bool:
    try:
        return _SYSTEM.text in _render([_SYSTEM, *_TRIAL], tokenizer, add_generation_prompt=False)
    except Exception:  # which is how many templates refuse a role
        return False


def _takes_parts(tokenizer: PreTrainedTokenizerBase) -> bool:
    parts = [{"role": turn.role, "content": [{"type": "text", "text": turn.text}]} for turn in _TRIAL]
    try:
        text = _apply(parts, tokenizer, add_generation_prompt=False)
    except Exception:
        return False
    return all(turn.text in text for turn in _TRIAL)


def _render(turns: Sequence[Turn], tokenizer: PreTrainedTokenizerBase, add_generation_prompt: bool) -> str:
    messages = [{"role": turn.role, "content": turn.text} for turn in turns]
    return _apply(messages, tokenizer, add_generation_prompt, sum(len(turn.text) for turn in turns))


def _apply(
    messages: list[dict[str, Any]], tokenizer: PreTrainedTokenizerBase, add_generation_prompt: bool, length: int = 0
) -> str:
    """The text of the messages, whose own has so many characters; a template may write that twice."""
    with bounded(MAX_SECONDS, MAX_MEMORY):
        template = tokenizer.get_chat_template()
        if CLOCK in template:
            template = _STOPPED_CLOCK + template
        text = str(
            tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=add_generation_prompt, chat_template=template
            )
        )
    if len(text) > MAX_MARKUP + 2 * length:
        raise ValueError(f"writes {len(text):,} characters around {len(messages)} turn(s)")
    return text


def _explain(error: Exception, tokenizer: PreTrainedTokenizerBase) -> str:
    reason = " ".join(str(error).split())[:200]
    return (
        f"the chat template of model.path={tokenizer.name_or_path} cannot be rendered "
        f"({type(error).__name__}{': ' + reason if reason else ''}); use template=plain, or give another model.path"
    )
