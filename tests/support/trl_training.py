"""A training by TRL as people write one: `trl_training.py sft|dpo <data> with|without` (the callback)."""

import gzip
import json
import sys
from pathlib import Path

from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from src.integrations import TopologyCallback
from tests.support.series import PROMPTS

kind, data, how = sys.argv[1:]
MODEL = f"{data}/models/stories260k"


class SaveAll(TrainerCallback):
    def on_step_end(self, args, state, control, **_):
        control.should_save = kind == "sft"


with gzip.open(f"{data}/hh-rlhf/helpful-base/test.jsonl.gz", "rt") as lines:
    pairs = [json.loads(line) for line, _ in zip(lines, range(32), strict=False)]
tokenizer, model = AutoTokenizer.from_pretrained(MODEL), AutoModelForCausalLM.from_pretrained(MODEL)
tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
shared = {
    "output_dir": "out" if how == "with" else "plain", "max_steps": 6, "per_device_train_batch_size": 2,
    "logging_steps": 1, "save_strategy": "no", "report_to": [], "bf16": False, "use_cpu": True, "max_length": 64,
    "disable_tqdm": True, "seed": 3, "learning_rate": 1e-3,
}  # fmt: skip
callbacks = [SaveAll()]
if how == "with":
    config = {"tda": {"subsamples": 0, "null_draws": 2, "workers": 1}, "schedule": {"lag": 1}}
    callbacks.append(TopologyCallback(PROMPTS, steps=[0, 1, 4], config=config))
given = {"processing_class": tokenizer, "callbacks": callbacks, "model": model}
if kind == "sft":
    rows = Dataset.from_list([{"text": pair["chosen"]} for pair in pairs])
    trainer = SFTTrainer(args=SFTConfig(**shared), train_dataset=rows, **given)
else:
    rows = Dataset.from_list([{"prompt": "\n\nHuman:", **pair} for pair in pairs])
    trainer = DPOTrainer(args=DPOConfig(**shared), train_dataset=rows, **given)
trainer.train()
Path(f"{how}.json").write_text(json.dumps([line["loss"] for line in trainer.state.log_history if "loss" in line]))
