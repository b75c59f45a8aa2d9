"""What is learned is the reply and its end, and nothing else, with every family of tokenizers."""

from __future__ import annotations

import pytest

from src.config import RequestError
from src.data.dialogues import Dialogue, Turn
from src.data.labels import IGNORED, Example, Labeller, Remark, Reply
from src.data.rendering import encode_dialogue
from src.data.tokens import TextTokenizer, Tokens
from tests.support.text import CHAT, KEEP_TEXT, NO_ASKING, NO_END, THINKING, make_tokenizer, with_template

QUESTION = (Turn("user", "Hi"),)
REPLIES = (
    "def f(x):\n    if x:\n        return  x", "é 😀 \u200d\u0301 \u2028 ½", "a", "...\n\n\n!  ?", "<|end|>",
    "Human: \n\nHuman: x", "\x00 \x07 \\", "</s><s>[INST]",
)  # fmt: skip


def learned(example: Example, name: str) -> str:
    [text] = TextTokenizer(make_tokenizer(name)).decode([[token for token in example.labels if token != IGNORED]])
    return text


@pytest.mark.parametrize("template", ["plain", "chat"])
@pytest.mark.parametrize("name", KEEP_TEXT)
@pytest.mark.parametrize("reply", REPLIES, ids=repr)
def test_the_labels_are_the_reply_and_its_end(name: str, template: str, reply: str) -> None:
    tokenizer = make_tokenizer(name)
    example = encode_dialogue(Dialogue(QUESTION, reply, None), template, "last", tokenizer, 512)
    end = "<|end|>" if template == "chat" else tokenizer.eos_token
    text = learned(example, name)
    assert text.endswith(end)
    # A sentencepiece tokenizer writes a space behind each mark of a chat template, as Llama 2 does.
    reply_learned = text.removesuffix(end).strip()
    assert reply_learned == reply or (
        name == "sentencepiece" and reply_learned.replace(" ", "") == reply.replace(" ", "")
    )
    assert Remark.NO_STOP not in example.remarks


@pytest.mark.parametrize("name", KEEP_TEXT)
def test_all_replies_are_learned_without_what_lies_between(name: str) -> None:
    talk = Dialogue((*QUESTION, Turn("assistant", "Yes?  So"), Turn("user", "Why")), "No\n  more", None)
    text = learned(encode_dialogue(talk, "plain", "all", make_tokenizer(name), 512), name)
    assert "Yes?  So" in text
    assert "No\n  more" in text
    assert "Hi" not in text
    assert "Why" not in text


@pytest.mark.parametrize("name", ["characters", "wordpiece"])
def test_a_tokenizer_that_changes_text_is_remarked(name: str) -> None:
    example = encode_dialogue(Dialogue(QUESTION, "It  Boils, é!", None), "plain", "last", make_tokenizer(name), 512)
    assert Remark.CHANGED in example.remarks


def test_what_a_tokenizer_keeps_is_not_remarked() -> None:
    for name in KEEP_TEXT:
        for template in ("plain", "chat"):
            talk = Dialogue((Turn("system", "Be kind."), *QUESTION), "It  boils, é!", None)
            assert encode_dialogue(talk, template, "last", make_tokenizer(name), 512).remarks == ()


def test_a_reply_without_an_end_is_remarked() -> None:
    talk = Dialogue(QUESTION, "Yes", None)
    assert encode_dialogue(talk, "chat", "last", with_template(NO_END), 512).remarks == (Remark.NO_STOP,)
    endless = with_template(NO_END)
    endless.eos_token = None
    assert encode_dialogue(talk, "plain", "last", endless, 512).remarks == (Remark.NO_STOP,)


def test_what_stands_in_front_of_a_reply_is_remarked_and_is_no_end() -> None:
    talk = Dialogue(QUESTION, "Yes", None)
    for template, remarks in ((NO_ASKING, (Remark.FRONT,)), (THINKING, (Remark.FRONT,)), (CHAT, ())):
        assert encode_dialogue(talk, "chat", "last", with_template(template), 512).remarks == remarks
    endless = NO_ASKING.replace("<|end|>", "")
    found = encode_dialogue(talk, "chat", "last", with_template(endless), 512).remarks
    assert found == (Remark.NO_STOP, Remark.FRONT)


def test_what_is_cut_is_remarked() -> None:
    talk = Dialogue(QUESTION, "seven minutes in boiling water", None)
    full = encode_dialogue(talk, "plain", "last", make_tokenizer("bytes"), 512)
    assert full.remarks == ()
    cut, deep = (encode_dialogue(talk, "plain", "last", make_tokenizer("bytes"), n) for n in (len(full.ids) - 1, 5))
    assert cut.remarks == (Remark.CUT,)
    assert deep.remarks == (Remark.CUT, Remark.REPLY_CUT)


@pytest.mark.parametrize("shift", [-3, 2, 9])
def test_offsets_that_are_wrong_are_refused(shift: int) -> None:
    tokenizer = TextTokenizer(make_tokenizer("bytes"))
    text = "\n\nHuman: Hi\n\nAssistant: seven minutes"
    span = (text.index(" seven"), len(text))
    replies = [Reply(span, (span[0] + 1, span[1]))]
    [tokens] = tokenizer.encode([text], [[]], add_special_tokens=True)
    labeller = Labeller(tokenizer, "plain", 512)
    labeller.finish([labeller.label(text, replies, tokens)], [""])
    wrong = Tokens(tokens.ids, [(start + shift, end + shift) for start, end in tokens.offsets])
    empty = Tokens(tokens.ids, [(0, 0)] * len(tokens.ids))
    for bad in (wrong, empty):
        with pytest.raises(RequestError, match=r"model\.path=.*: helpful\.jsonl: line 7: the tokens that would be"):
            labeller.finish([labeller.label(text, replies, bad)], ["helpful.jsonl: line 7"])
