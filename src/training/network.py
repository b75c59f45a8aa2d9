"""A causal language model and the parts of it that the rest needs by name."""

from __future__ import annotations

from dataclasses import dataclass

from peft import PeftModel
from torch import nn
from transformers import PreTrainedModel

from ..clouds.capture import find_blocks


@dataclass(frozen=True)
class Network:
    model: PreTrainedModel | PeftModel
    """What is trained and saved."""
    causal: PreTrainedModel
    """The language model with its head, adapters inside."""
    packed: bool = False
    """Whether it keeps dialogues apart that lie end to end in one row."""

    @property
    def trunk(self) -> PreTrainedModel:
        """The smallest model around the blocks: without the head, and without the towers of a model that also sees."""
        blocks = self.blocks
        models = (part for part in self.causal.modules() if isinstance(part, PreTrainedModel))
        return [model for model in models if any(part is blocks for part in model.modules())][-1]

    @property
    def blocks(self) -> nn.ModuleList:
        """The transformer blocks.

        Raises:
            ValueError: if there is no list of them.
        """
        # Of the decoder: a vision tower may have a list as long.
        return find_blocks(self.causal.get_decoder(), self.causal.config.get_text_config().num_hidden_layers)

    def name_of(self, part: nn.Module) -> str:
        """The dotted name of a part of `causal`."""
        return next(name for name, module in self.causal.named_modules() if module is part)
