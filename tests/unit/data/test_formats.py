"""The forms of a row: each that people use is read as what it says, and what is lost or unclear is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from src.data.dialogues import Dialogue, Turn
from src.data.formats import parse_dialogue, parse_prompt

USER, REPLY, OTHER = ({"role": r, "content": c} for r, c in (("user", "Hi"), ("assistant", "Yes"), ("assistant", "No")))
SYSTEM = {"role": "system", "content": "Be kind."}
HH = "\n\nHuman: Hi\n\nAssistant:"
PAIR = Dialogue((Turn("user", "Hi"),), "Yes", "No")
ALONE = Dialogue((Turn("user", "Hi"),), "Yes", None)
GUIDED = Dialogue((Turn("system", "Be kind."), Turn("user", "Hi")), "Yes", None)
GUIDED_PAIR = Dialogue(GUIDED.prompt, "Yes", "No")
LONGER = Dialogue((*PAIR.prompt, Turn("assistant", "Yes"), Turn("user", "Why?")), "So.", "No.")


@pytest.mark.parametrize(
    ("row", "dialogue"),
    [
        ({"prompt": "Hi", "chosen": [USER, REPLY], "rejected": [USER, OTHER]}, PAIR),
        ({"prompt": "Hi", "chosen": [USER, REPLY], "rejected": [USER, OTHER], "messages": [USER, REPLY]}, PAIR),
        ({"prompt": [USER], "chosen": [REPLY], "rejected": [OTHER]}, PAIR),
        ({"prompt": [USER], "chosen": REPLY, "rejected": OTHER}, PAIR),
        ({"prompt": [SYSTEM, USER], "chosen": [REPLY], "rejected": [OTHER]}, GUIDED_PAIR),
        ({"prompt": "Hi", "chosen": [SYSTEM, USER, REPLY], "rejected": [SYSTEM, USER, OTHER]}, GUIDED_PAIR),
        ({"system": "Be kind.", "prompt": "Hi", "chosen": "Yes", "rejected": "No"}, GUIDED_PAIR),
        ({"messages": [USER], "chosen": "Yes", "rejected": "No"}, PAIR),
        ({"messages": [USER, REPLY], "chosen": "Yes", "rejected": "No"}, PAIR),
        ({"prompt": HH, "chosen": " Yes", "rejected": " No"}, PAIR),
        ({"prompt": HH.strip(), "chosen": " Yes", "rejected": " No"}, PAIR),
        ({"prompt": HH[: -len("\n\nAssistant:")], "chosen": "Yes", "rejected": "No"}, PAIR),
        ({"prompt": HH, "chosen": f"{HH} Yes", "rejected": f"{HH} No"}, PAIR),
        (
            {
                "prompt": HH, "chosen": " Yes\n\nHuman: Why?\n\nAssistant: So.",
                "rejected": " Yes\n\nHuman: Why?\n\nAssistant: No.",
            },
            LONGER,
        ),
        ({"prompt": "Why?", "chosen": [USER, REPLY, *[{**USER, "content": "Why?"}, {**REPLY, "content": "So."}]],
          "rejected": [USER, REPLY, *[{**USER, "content": "Why?"}, {**REPLY, "content": "No."}]]}, LONGER),
        ({"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yes"}]}, ALONE),
        ({"system": "Be kind.", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yes"}]},
         GUIDED),
        ({"conversations": [{"from": "human", "value": "Hi"}], "chosen": {"from": "gpt", "value": "Yes"},
          "rejected": {"from": "gpt", "value": "No"}}, PAIR),
        ({"instruction": "Hi", "input": "", "output": "Yes"}, ALONE),
        ({"instruction": "Hi", "output": "Yes"}, ALONE),
        ({"instruction": "Add", "input": "1 2", "output": "3"}, Dialogue((Turn("user", "Add\n\n1 2"),), "3", None)),
        ({"instruction": "Hi", "chosen": "Yes", "rejected": "No"}, PAIR),
        ({"instruction": "Why?", "history": [["Hi", "Yes"]], "output": "So."}, Dialogue(LONGER.prompt, "So.", None)),
        ({"prompt": "Hi", "completion": "Yes"}, ALONE), ({"prompt": [USER], "completion": [REPLY]}, ALONE),
        ({"prompt": HH, "completion": " Yes"}, ALONE), ({"messages": [SYSTEM, USER], "completion": REPLY}, GUIDED),
        ({"messages": {"role": ["user", "assistant"], "content": ["Hi", "Yes"]}}, ALONE),
        ({"conversations": {"from": ["human", "gpt"], "value": ["Hi", "Yes"]}}, ALONE),
        ({"messages": [{**SYSTEM, "role": "developer"}, USER, REPLY]}, GUIDED),
        ({"messages": [USER, {**REPLY, "tool_calls": [], "function_call": None}], "images": [], "tools": None}, ALONE),
        ({"messages": [SYSTEM, USER, REPLY]}, GUIDED),
        ({"messages": [{"role": "system", "content": ""}, USER, REPLY]}, ALONE),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "H"}, {"text": "i"}]}, REPLY]}, ALONE),
        ({"messages": [USER, REPLY], "chosen": None, "rejected": None, "prompt": "Hi", "source": "web"}, ALONE),
    ],
)  # fmt: skip
def test_what_people_have_is_read(row: dict[str, Any], dialogue: Dialogue) -> None:
    assert parse_dialogue(row) == dialogue


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"messages": [USER, REPLY], "chosen": "No", "rejected": "Never"}, "messages and chosen differ"),
        ({"prompt": "Bye", "chosen": [USER, REPLY], "rejected": [USER, OTHER]}, "does not begin with what the prompt"),
        ({"prompt": "Bye", "messages": [USER, REPLY]}, "does not begin with what the prompt"),
        ({"prompt": [USER], "chosen": [REPLY]}, "no 'rejected'"),
        ({"chosen": "Yes", "rejected": "No"}, "a text without prompt and without the marks"),
        ({"prompt": [USER, REPLY], "chosen": "Yes", "rejected": "No"}, "do not alternate"),
        ({"prompt": f"{HH} Sure,", "chosen": "Yes", "rejected": "No"}, "do not alternate"),
        ({"messages": [USER, SYSTEM, REPLY]}, "do not alternate"),
        ({"messages": [SYSTEM, USER, REPLY], "system": "Be rude."}, "two system turns"),
        ({"prompt": [SYSTEM, USER], "chosen": [{**SYSTEM, "content": "x"}, USER, REPLY],
          "rejected": [USER, OTHER]}, "two system turns"),
        ({"messages": [USER, {"role": "tool", "content": "x"}, REPLY]}, "role 'tool'"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "url": "x"}]}, REPLY]}, r"no text \(image\)"),
        ({"messages": [USER, {**REPLY, "tool_calls": [{}]}]}, "tool_calls"),
        ({"messages": [USER, {"role": "assistant", "content": None}]}, "a turn is empty"),
        ({"messages": [USER, {"role": "assistant", "content": 3}]}, "a turn is no text, but int"),
        ({"instruction": "Hi", "output": True}, "a turn is no text, but bool"),
        ({"prompt": float("nan"), "chosen": "Yes", "rejected": "No"}, "messages are no list, but float"),
        ({"messages": json.dumps([USER, REPLY])}, "messages are no list, but str"),
        ({"messages": {"role": ["user", "assistant"], "content": ["Hi"]}}, "different lengths"),
        ({"messages": [USER, {**REPLY, "function_call": {"name": "f"}}]}, "a message has function_call"),
        ({"messages": [USER, {**REPLY, "reasoning_content": "for"}]}, "a message has reasoning_content"),
        ({"messages": [USER, REPLY], "images": ["a.png"]}, "the row has images"),
        ({"messages": [USER, REPLY], "tools": [{"name": "f"}]}, "the row has tools"),
        ({"prompt": "Hi", "completion": "Yes", "label": False}, r"completion with label \(KTO\)"),
        ({"messages": [USER, REPLY], "completion": "No"}, "messages and completion differ"),
        ({"completion": "Yes"}, "completion is a text without prompt"),
        ({"messages": [USER, {"role": "assistant", "content": "half \ud83d"}]}, r"\\ud83d"),
        ({"prompt": HH, "chosen": "half \ud83d", "rejected": "No"}, r"\\ud83d"),
        ({"prompt": HH.replace("Hi", "\udc00"), "chosen": "Yes", "rejected": "No"}, r"\\udc00"),
        ({"messages": []}, "empty list"), ({"messages": 3}, "no list"), ({"messages": [3]}, "no object with role"),
        ({"instruction": "Hi", "history": "x", "output": "Yes"}, "history"),
        ({"text": "Hi"}, "no dialogue in text"), ({}, "an empty row"), ([], "no object"), (None, "no object"),
    ],
)  # fmt: skip
def test_what_is_unclear_is_refused(row: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_dialogue(row)


def test_prompts_have_the_forms_of_dialogues() -> None:
    asked = (Turn("user", "Hi"),)
    for row in ("Hi", {"prompt": "Hi"}, {"prompt": HH}, {"messages": [USER]}, {"instruction": "Hi", "input": ""},
                {"conversations": [{"from": "human", "value": "Hi"}]}):  # fmt: skip
        assert parse_prompt(row) == asked
    assert parse_prompt({"prompt": "Hi", "system": "Be kind."}) == GUIDED.prompt
    for row in ({"messages": [USER, REPLY]}, {"messages": [SYSTEM]}, {"text": "Hi"}, 3, {"prompt": "\ud83d"}):
        with pytest.raises(ValueError, match=r"prompt|object|surrogate"):
            parse_prompt(row)


def test_the_first_question_decides_the_side_not_the_system_turn() -> None:
    assert GUIDED.opening == ALONE.opening
