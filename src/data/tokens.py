"""Text to tokens and back: what somebody typed stays text, even where it spells a special token."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from ..config import RequestError

Span = tuple[int, int]
"""First character and the one behind the last."""


@dataclass(frozen=True)
class Tokens:
    ids: list[int]
    offsets: list[Span]
    """Characters of each token. Special tokens that the tokenizer adds have (0, 0), and with some tokenizers tokens of
    spaces alone are empty as well, at their end."""
    typed: bool = False
    """Whether the text spells a special token where somebody typed it."""


class TextTokenizer:
    """A tokenizer, and what has to be known of its special tokens."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Raises RequestError if the tokenizer cannot tell which characters a token stands for."""
        if not tokenizer.is_fast:
            raise RequestError(
                f"model.path={tokenizer.name_or_path}: its tokenizer cannot tell where in a text its tokens lie, which "
                "the loss mask needs; give a model folder with tokenizer.json"
            )
        self.tokenizer = tokenizer
        self.name = str(tokenizer.name_or_path)
        special = {number: str(token) for number, token in tokenizer.added_tokens_decoder.items() if token.special}
        self.special = frozenset(special)
        self.eos: int | None = tokenizer.eos_token_id
        no_end = {tokenizer.unk_token_id, tokenizer.bos_token_id, tokenizer.mask_token_id}
        self.stops = (self.special - no_end) | ({self.eos} if self.eos is not None else set())
        """Tokens that may end a reply."""
        spelled = sorted((re.escape(text) for text in special.values() if text.strip()), key=len, reverse=True)
        self._special_text = re.compile("|".join(spelled)) if spelled else None

    def encode(
        self, texts: Sequence[str], typed: Sequence[Sequence[Span]], *, add_special_tokens: bool
    ) -> list[Tokens]:
        """Tokens of each text.

        Args:
            typed: parts of each text that somebody typed.
            add_special_tokens: to add those that the tokenizer puts around a text; if so, all of the text was typed.
        """
        encoded = self._call(list(texts), add_special_tokens=add_special_tokens)
        tokens = [Tokens(ids, offsets) for ids, offsets in zip(*encoded, strict=True)]
        for n, (text, spans) in enumerate(zip(texts, typed, strict=True)):
            marks = self._find_special(text, spans)
            if marks and add_special_tokens:
                ids, offsets = self._call([text], add_special_tokens=True, split_special_tokens=True)
                tokens[n] = Tokens(ids[0], offsets[0], typed=True)
            elif marks:
                tokens[n] = self._encode_parts(text, marks)
        return tokens

    def decode(self, rows: Sequence[Sequence[int]], *, skip_special: bool = False) -> list[str]:
        """The text of each row of tokens, nothing cleaned up."""
        texts: list[str] = self.tokenizer.backend_tokenizer.decode_batch(
            [list(row) for row in rows], skip_special_tokens=skip_special
        )
        return texts

    def normalize(self, text: str) -> str:
        """The text as the tokenizer reads it."""
        normalizer = self.tokenizer.backend_tokenizer.normalizer
        return str(normalizer.normalize_str(text)) if normalizer is not None else text

    def _call(self, texts: list[str], **options: bool) -> tuple[list[list[int]], list[list[Span]]]:
        if not texts:
            return [], []
        # What was typed is told apart here: a tokenizer set to split special tokens would split those of the template.
        options = {"split_special_tokens": False} | options
        encoded = self.tokenizer(texts, return_offsets_mapping=True, verbose=False, **options)
        return encoded["input_ids"], encoded["offset_mapping"]

    def _find_special(self, text: str, spans: Sequence[Span]) -> list[Span]:
        if self._special_text is None:
            return []
        return [found.span() for first, last in spans for found in self._special_text.finditer(text, first, last)]

    def _encode_parts(self, text: str, marks: Sequence[Span]) -> Tokens:
        """The text with its `marks` as plain text; special tokens part texts anyway, so that parts can be joined."""
        ids, offsets = list[int](), list[Span]()
        for first, last, typed in _parted(marks, len(text)):
            part = self._call([text[first:last]], add_special_tokens=False, split_special_tokens=typed)
            ids += part[0][0]
            offsets += [(first + start, first + end) for start, end in part[1][0]]
        return Tokens(ids, offsets, typed=True)


def _parted(marks: Sequence[Span], length: int) -> list[tuple[int, int, bool]]:
    """The whole of a text in parts: its `marks`, and what lies between them."""
    parts, at = [], 0
    for first, last in marks:
        parts += [(at, first, False), (first, last, True)]
        at = last
    parts.append((at, length, False))
    return [part for part in parts if part[0] < part[1]]
