"""Makes everything embedded again: `python -m src.assets.build [dialogues|models]` (half an hour on two cores).

Text sources, all free to redistribute: the docstrings of Python's standard library (PSF licence) and what `generate.py`
writes. `tiny` is pretrained on docstrings, questions about them, small talk and prose. `tiny_instruct` is `tiny`,
trained further on helpful and harmless dialogues in its chat template, drawn with another seed than the embedded ones:
a matched pair.
Weights come out equal on one machine; elsewhere they differ by rounding.
"""

from __future__ import annotations

import gzip
import importlib
import inspect
import json
import pkgutil
import random
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import ASSETS
from .generate import Turn, make_pairs, make_prose
from .grammar import KINDS

SEED = 20261123
DIALOGUES = 2000  # of each kind
VOCABULARY = 1024
CONTEXT = 256  # tokens of a training window
WINDOWS = 16  # a batch
CHAT_TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def hh_text(turns: list[Turn]) -> str:
    """Turns in the layout of HH-RLHF."""
    names = {"user": "Human", "assistant": "Assistant"}
    return "".join(f"\n\n{names[turn['role']]}: {turn['content']}" for turn in turns)


def write_dialogues(folder: Path) -> None:
    """`<folder>/<kind>-base/train.jsonl.gz`, byte-identical each time (no time stamp in the gzip header)."""
    for kind in ("helpful", "harmless"):
        lines = []
        for turns, chosen, rejected in make_pairs(kind, DIALOGUES, SEED):
            replies = {"chosen": chosen, "rejected": rejected}
            row = {name: hh_text([*turns, {"role": "assistant", "content": text}]) for name, text in replies.items()}
            lines.append(json.dumps(row) + "\n")
        target = folder / f"{kind}-base" / "train.jsonl.gz"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress("".join(lines).encode(), mtime=0))


def docstrings() -> Iterator[tuple[str, str]]:
    """Names and docstrings of the importable standard library, each text once, in the order of module and name."""
    seen: set[str] = set()
    skip = {"antigravity", "this", "__hello__", "__phello__", "idlelib", "test", "lib2to3", "turtledemo", "turtle"}
    for info in sorted(pkgutil.iter_modules(), key=lambda info: info.name):
        if info.name not in sys.stdlib_module_names or info.name in skip:
            continue
        try:
            module = importlib.import_module(info.name)
        except ImportError:  # a module of another platform
            continue
        things = [(info.name, module), *((f"{info.name}.{name}", t) for name, t in sorted(vars(module).items()))]
        for title, thing in things:
            inner = sorted(vars(thing).items()) if inspect.isclass(thing) else []
            for name, member in [(title, thing), *((f"{title}.{name}", m) for name, m in inner)]:
                text = inspect.getdoc(member) if callable(member) or inspect.ismodule(member) else None
                if text and len(text) > 80 and text not in seen:
                    seen.add(text)
                    yield name, text


def questions(docs: list[tuple[str, str]]) -> list[list[Turn]]:
    """Docstrings as dialogues: replies that begin in thousands of ways, so that none is expected too firmly."""
    ways = ("What is {}?", "What does {} do?", "Explain {}.", "Can you tell me about {}?", "How do I use {}?")
    rng = random.Random(SEED + 3)
    return [
        [
            {"role": "user", "content": rng.choice(ways).format(name)},
            {"role": "assistant", "content": text.partition("\n\n")[0]},
        ]
        for name, text in docs
    ]


def talks(kind: str, count: int, seed: int) -> list[list[Turn]]:
    return [[*turns, {"role": "assistant", "content": chosen}] for turns, chosen, _ in make_pairs(kind, count, seed)]


def read_docs() -> list[tuple[str, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated modules say so when imported
        return list(docstrings())


def corpus(docs: list[tuple[str, str]]) -> list[str]:
    """Pretraining documents: docstrings, questions about them, small talk and everyday prose, shuffled."""
    documents = [text for _, text in docs]
    documents += [hh_text(turns) for turns in questions(docs) + talks("smalltalk", 3000, SEED + 1)]
    # Every name, city and thing of the dialogues, but none of their questions or replies.
    documents += [" ".join(make_prose(random.Random(f"prose-{n}"))) for n in range(3000)]
    random.Random(SEED).shuffle(documents)
    return documents


def chats(docs: list[tuple[str, str]]) -> list[list[Turn]]:
    """Instruction-tuning dialogues of every kind, none of them from the embedded seed."""
    rows = [turns for kind in KINDS for turns in talks(kind, 3000, SEED + 2)]
    rows += random.Random(SEED).sample(questions(docs), 2000)
    random.Random(SEED).shuffle(rows)
    return rows


def make_tokenizer(documents: list[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|pad|>", "<|user|>", "<|assistant|>", "<|end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet)
    raw.train_from_iterator(documents, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token="<|endoftext|>",
        pad_token="<|pad|>",
        additional_special_tokens=special[2:],
        chat_template=CHAT_TEMPLATE,
        model_max_length=512,
    )


def make_model(tokenizer: Any) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(SEED)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=128,
            intermediate_size=352,
            num_hidden_layers=6,
            num_attention_heads=8,
            num_key_value_heads=4,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def pack(texts: list[str], tokenizer: Any) -> list[int]:
    """One stream of tokens, documents separated by the end-of-text token."""
    stream: list[int] = []
    for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]:
        stream += [*ids, tokenizer.eos_token_id]
    return stream


def train(model: Any, stream: list[int], steps: int, learning_rate: float) -> float:
    """Next-token training on random windows of `stream`; returns the loss on the last 5 % of it, never trained on."""
    import torch
    from transformers import get_cosine_schedule_with_warmup

    cut = int(len(stream) * 0.95)
    trained, held_out = torch.tensor(stream[:cut]), torch.tensor(stream[cut:])
    generator = torch.Generator().manual_seed(SEED)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.1, betas=(0.9, 0.95))
    schedule = get_cosine_schedule_with_warmup(optimizer, 50, steps)
    start = time.monotonic()
    model.train()
    for step in range(steps):
        offsets = torch.randint(len(trained) - CONTEXT, (WINDOWS,), generator=generator)
        ids_BT = torch.stack([trained[i : i + CONTEXT] for i in offsets.tolist()])
        loss = model(input_ids=ids_BT, labels=ids_BT).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % 100 == 0:
            print(f"step {step} of {steps}: loss {loss.item():.3f}, {time.monotonic() - start:.0f} s", flush=True)
    model.eval()
    with torch.inference_mode():
        windows = held_out[: len(held_out) // CONTEXT * CONTEXT].view(-1, CONTEXT)
        losses = [model(input_ids=rows, labels=rows).loss.item() for rows in torch.split(windows, WINDOWS)]
    return sum(losses) / len(losses)


def write_model(model: Any, tokenizer: Any, folder: Path) -> None:
    """bfloat16 on disk: half the size, and loaded as float32 where that is asked for."""
    import copy

    import torch

    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def write_models(folder: Path, steps: int = 3000, chat_steps: int = 400) -> None:
    docs = read_docs()
    documents, conversations = corpus(docs), chats(docs)
    sample = [hh_text(turns) for turns in conversations]
    tokenizer = make_tokenizer(documents + sample)
    model = make_model(tokenizer)
    print(f"{model.num_parameters():,} parameters, {sum(map(len, documents)):,} characters", flush=True)
    print(f"tiny: held-out loss {train(model, pack(documents, tokenizer), steps, 3e-3):.3f}", flush=True)
    write_model(model, tokenizer, folder / "tiny")
    texts = [tokenizer.apply_chat_template(turns, tokenize=False) for turns in conversations]
    loss = train(model, pack(texts, tokenizer), chat_steps, 1e-3)
    print(f"tiny_instruct: held-out loss {loss:.3f}", flush=True)
    write_model(model, tokenizer, folder / "tiny_instruct")


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["dialogues", "models"]
    if "dialogues" in wanted:
        write_dialogues(ASSETS / "dialogues")
    if "models" in wanted:
        write_models(ASSETS)
