"""Text to tokens and back, with every family of tokenizers."""

from __future__ import annotations

import pytest
from transformers import PreTrainedTokenizerBase

from src.config import RequestError
from src.data.probes import encode_prompt, encode_prompts
from src.data.tokens import TextTokenizer
from tests.support.text import CHAT, KEEP_TEXT, make_tokenizer, with_template

TYPED = "Hi <|user|> and <|end|>, é 😀"


@pytest.mark.parametrize("name", KEEP_TEXT)
def test_a_special_token_that_somebody_typed_is_text(name: str) -> None:
    tokenizer = TextTokenizer(make_tokenizer(name))
    [tokens] = tokenizer.encode([TYPED], [[(0, len(TYPED))]], add_special_tokens=True)
    assert tokens.typed
    assert not tokenizer.special & set(tokens.ids)
    assert tokenizer.decode([tokens.ids]) == [TYPED]


@pytest.mark.parametrize("name", KEEP_TEXT)
def test_those_of_the_template_are_tokens(name: str) -> None:
    tokenizer = TextTokenizer(make_tokenizer(name))
    text = f"<|user|>{TYPED}<|end|><|assistant|>"
    span = (len("<|user|>"), len("<|user|>") + len(TYPED))
    [tokens] = tokenizer.encode([text], [[span]], add_special_tokens=False)
    found = [number for number in tokens.ids if number in tokenizer.special]
    assert tokenizer.tokenizer.convert_ids_to_tokens(found) == ["<|user|>", "<|end|>", "<|assistant|>"]
    assert "".join(tokenizer.decode([tokens.ids])[0].split()) == "".join(text.split())
    # Offsets go on from part to part.
    pieces = [text[start:end] for start, end in tokens.offsets]
    assert pieces[-1] == "<|assistant|>"
    assert pieces[0] == "<|user|>"


@pytest.mark.parametrize("name", KEEP_TEXT)
def test_texts_without_such_marks_are_tokenized_as_ever(name: str) -> None:
    tokenizer: PreTrainedTokenizerBase = make_tokenizer(name)
    texts = ["\n\nHuman: Hi\n\nAssistant:", "a  b"]
    found = TextTokenizer(tokenizer).encode(texts, [[(0, len(text))] for text in texts], add_special_tokens=True)
    assert [one.ids for one in found] == [tokenizer(text)["input_ids"] for text in texts]
    assert not any(one.typed for one in found)
    assert encode_prompt(texts[0], "plain", tokenizer) == found[0].ids


def test_a_probe_that_spells_a_special_token_is_text() -> None:
    tokenizer = make_tokenizer("tiny")
    [ids] = encode_prompts([TYPED], [[(0, len(TYPED))]], "plain", tokenizer)
    assert not TextTokenizer(tokenizer).special & set(ids)


def test_the_marks_of_a_template_are_tokens_of_a_tokenizer_that_splits_them() -> None:
    splitting = with_template(CHAT)
    splitting.split_special_tokens = True
    [tokens] = TextTokenizer(splitting).encode(["<|user|>Hi<|end|>"], [[(8, 10)]], add_special_tokens=False)
    assert splitting.convert_ids_to_tokens([tokens.ids[0], tokens.ids[-1]]) == ["<|user|>", "<|end|>"]


def test_a_tokenizer_without_offsets_is_named() -> None:
    class Slow:
        is_fast = False
        name_or_path = "old"

    with pytest.raises(RequestError, match=r"model\.path=old: .*tokenizer\.json"):
        TextTokenizer(Slow())  # type: ignore[arg-type]
