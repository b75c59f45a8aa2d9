"""Templates and the loss mask."""

from __future__ import annotations

import pytest
from transformers import PreTrainedTokenizerBase

from src.config import RequestError
from src.data.batches import collate
from src.data.dialogues import Dialogue, Turn
from src.data.rendering import IGNORED, Example, encode_dialogue
from tests.support.text import CHAT, with_template

TALK = Dialogue(
    (Turn("user", "Hello, who are you?"), Turn("assistant", "A small model."), Turn("user", "How do I boil an egg?")),
    "Seven minutes in boiling water.",
    "No idea.",
)


def learned(example: Example, tokenizer: PreTrainedTokenizerBase) -> str:
    return tokenizer.decode([token for token in example.labels if token != IGNORED])


@pytest.mark.parametrize("name", ["tiny", "stories"])
def test_only_the_last_reply_and_the_end_are_learned(name: str, request: pytest.FixtureRequest) -> None:
    tokenizer = request.getfixturevalue(name)
    example = encode_dialogue(TALK, "plain", "last", tokenizer, 512)
    assert learned(example, tokenizer).split() == [*TALK.chosen.split()[:-1], "water." + tokenizer.eos_token]
    whole = tokenizer.decode(example.ids)
    assert "Human: How do I boil an egg?\n\nAssistant: Seven minutes" in whole
    assert example.ids[-1] == tokenizer.eos_token_id


def test_all_replies_are_learned_on_request(tiny: PreTrainedTokenizerBase) -> None:
    text = learned(encode_dialogue(TALK, "plain", "all", tiny, 512), tiny)
    assert text == f" A small model. {TALK.chosen}{tiny.eos_token}"
    chat = learned(encode_dialogue(TALK, "chat", "all", tiny, 512), tiny)
    assert chat == f"A small model.<|end|>{TALK.chosen}<|end|>"


def test_chat_masks_the_prompt(tiny: PreTrainedTokenizerBase) -> None:
    assert learned(encode_dialogue(TALK, "chat", "last", tiny, 512), tiny) == f"{TALK.chosen}<|end|>"


def test_a_reply_that_is_asked_for_with_other_words_is_refused() -> None:
    other = with_template(CHAT.replace("%}<|assistant|>{%", "%}<|system|>{%"))
    with pytest.raises(RequestError, match=r"objective\.template=chat: .* asks for a reply with other words"):
        encode_dialogue(TALK, "chat", "last", other, 512)


def test_a_long_dialogue_loses_its_beginning_not_its_reply(tiny: PreTrainedTokenizerBase) -> None:
    full, cut = (encode_dialogue(TALK, "plain", "last", tiny, length) for length in (512, 30))
    assert cut.ids == full.ids[-30:]
    assert cut.labels == full.labels[-30:]


def test_an_example_without_a_target_is_refused(tiny: PreTrainedTokenizerBase) -> None:
    with pytest.raises(ValueError, match="unmasked"):
        collate([Example([1, 2, 3], [1, IGNORED, IGNORED])], pad=0)  # the first token is never predicted
    empty = Dialogue(TALK.prompt, "", "x")
    with pytest.raises(ValueError, match="learned"):
        encode_dialogue(empty, "chat", "last", tiny, 1)
