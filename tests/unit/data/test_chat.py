"""Chat templates that do not do what is asked: each is named, within bounds."""

from __future__ import annotations

import time

import pytest

from src.config import RequestError
from src.data.chat import MAX_SECONDS, render_chat, takes_system
from src.data.dialogues import Turn
from tests.support.text import CHAT, DROPS_SYSTEM, NO_SYSTEM, PARTS, with_template

ASKED = (Turn("user", "Hi"),)
GUIDED = (Turn("system", "Be kind."), *ASKED)
NESTED = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


def test_a_template_that_writes_the_turns_is_used() -> None:
    tokenizer = with_template(CHAT)
    assert render_chat(ASKED, tokenizer, add_generation_prompt=True) == "<|user|>Hi<|end|><|assistant|>"
    assert render_chat(GUIDED, tokenizer, add_generation_prompt=False).startswith("<|system|>Be kind.<|end|>")


@pytest.mark.parametrize("template", [NO_SYSTEM, DROPS_SYSTEM])
def test_without_system_turns_the_question_begins_with_what_it_said(template: str) -> None:
    tokenizer = with_template(template)
    assert not takes_system(tokenizer)
    assert render_chat(GUIDED, tokenizer, add_generation_prompt=False) == "<|user|>Be kind.\n\nHi<|end|>"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (PARTS, "content as a list of parts"),
        ("{% for m in messages %}{{ m.content[0].text }}{% endfor %}", "content as a list of parts"),
        ("{{ messages[0].content }}", "does not contain the reply: it leaves out"),
        ("{{ messages.__class__.__mro__ }}" + CHAT, "SecurityError"), ("{% if", "TemplateSyntaxError"),
        ("{{ range(10**9) }}", "OverflowError"), ("{{ raise_exception('no') }}", "TemplateError: no"),
        ("{{ unknown() }}", "UndefinedError"), ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "RecursionError"), ('{{ "a" * 10**10 }}', "MemoryError"),
        ("{{ range(1000) | random }}" + CHAT, "writes another text each time"),
        ('{{ "a" | center(10**10) }}', "MemoryError"), ('{{ "a" * 10**6 }}' + CHAT, "writes 1,000,"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["objective", "probe"])
def test_a_template_that_cannot_be_used_is_named(template: str, message: str, key: str) -> None:
    with pytest.raises(RequestError, match=message) as refused:
        render_chat(ASKED, with_template(template), add_generation_prompt=True, key=key)
    assert str(refused.value).startswith(f"{key}.template=chat: ")
    assert "model.path" in str(refused.value)


@pytest.mark.parametrize(
    ("call", "written"),
    [
        ("strftime_now('%d %b %Y')", "26 Jul 2024"), ('strftime_now("%Y-%m-%d %H:%M:%S")', "2024-07-26 12:00:00"),
        ("strftime_now(format='%A, %B %-d')", "Friday, July 26"),
        ("(strftime_now if strftime_now is defined else none)('%F')", "2024-07-26"),
    ],
)  # fmt: skip
def test_every_day_is_the_same_day(call: str, written: str) -> None:
    text = render_chat(ASKED, with_template("{{ " + call + " }}" + CHAT), add_generation_prompt=False)
    assert text == f"{written}<|user|>Hi<|end|>"


def test_a_template_without_an_end_is_given_its_seconds() -> None:
    began = time.monotonic()
    with pytest.raises(RequestError, match=f"TimeoutError: takes more than {MAX_SECONDS:g} s"):
        render_chat(ASKED, with_template(NESTED + CHAT), add_generation_prompt=True)
    assert time.monotonic() - began < 4 * MAX_SECONDS
