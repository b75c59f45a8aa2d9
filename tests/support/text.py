"""Tokenizers of every family, small enough to be made in a test, and chat templates good and bad."""

from __future__ import annotations

from functools import cache

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from .processes import ROOT

TEXTS = [
    "Human: Assistant: def f(x): return x\n The egg boils for seven minutes.",
    "Yes, no, perhaps 12 <|im_end|>",
] * 9
SPECIAL = ["<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
CHAT = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
NO_ASKING = CHAT.partition("{% if add_generation_prompt %}")[0]
THINKING = CHAT.replace("{{ m.content }}", "{{ '<think></think>' if m.role == 'assistant' else '' }}{{ m.content }}")
NO_END = CHAT.replace("<|end|>", "")
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHAT
DROPS_SYSTEM = CHAT.replace("{% for m in messages %}", "{% for m in messages if m.role != 'system' %}")
PARTS = CHAT.replace("{{ m.content }}", "{% for part in m.content %}{{ part.text }}{% endfor %}")


def _trained(tokenizer: Tokenizer, alphabet: list[str] | None = None) -> Tokenizer:
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=[*SPECIAL, "<unk>"], initial_alphabet=alphabet or [], show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def _byte_level(trim: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trained = _trained(tokenizer, pre_tokenizers.ByteLevel.alphabet())
    trained.post_processor = processors.ByteLevel(trim_offsets=trim)
    return trained


def _sentence_piece() -> Tokenizer:
    """As Llama 2: a space in front, bytes for what the vocabulary lacks."""
    plain = _trained(Tokenizer(models.BPE(unk_token="<unk>")))
    vocabulary = {token: n for n, token in enumerate(SPECIAL)}
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *sorted(map(chr, range(33, 127)))]
    merges = []
    for token, _ in sorted(plain.get_vocab().items(), key=lambda item: item[1]):
        if token not in SPECIAL and " " not in token and token.isascii() and len(token) == 2:
            pieces.append(token)
            merges.append((token[0], token[1]))
    for piece in pieces:
        vocabulary.setdefault(piece, len(vocabulary))
    model = models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def _characters() -> Tokenizer:
    """Knows the characters of `TEXTS` alone."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return _trained(tokenizer)


def _word_pieces() -> Tokenizer:
    """As BERT: no case, no spaces."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))  # type: ignore[arg-type]
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=[*SPECIAL, "<unk>"], show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


MAKERS = {
    "bytes": lambda: _byte_level(trim=False),
    "trimmed": lambda: _byte_level(trim=True),
    "sentencepiece": _sentence_piece,
    "characters": _characters,
    "wordpiece": _word_pieces,
}
KEEP_TEXT = ("tiny", "bytes", "trimmed", "sentencepiece")
"""Tokenizers that keep every text."""


@cache
def make_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """One of `MAKERS`, or the embedded `tiny`, with `CHAT` as its chat template."""
    if name == "tiny":
        return AutoTokenizer.from_pretrained(ROOT / "src" / "assets" / "tiny")
    backend = MAKERS[name]()
    unknown = None if "bytes" in name or name == "trimmed" else "<unk>"
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|end|>", unk_token=unknown, chat_template=CHAT,
        additional_special_tokens=SPECIAL[1:],
    )  # fmt: skip


def with_template(template: str) -> PreTrainedTokenizerBase:
    """A byte-level tokenizer of its own with another chat template."""
    return PreTrainedTokenizerFast(
        tokenizer_object=_byte_level(trim=False), eos_token="<|end|>", chat_template=template,
        additional_special_tokens=SPECIAL[1:],
    )  # fmt: skip
