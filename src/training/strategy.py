"""Lightning's strategy for the processes that train together."""

from __future__ import annotations

from lightning.pytorch.plugins.environments import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from ..system.placement import Placement
from .network import Network
from .ranks import Ranks


class Environment(LightningEnvironment):
    """Lightning's view of processes that have found each other already."""

    def __init__(self, placement: Placement) -> None:
        super().__init__()
        self.placement = placement

    @property
    def creates_processes_externally(self) -> bool:
        return True

    def world_size(self) -> int:
        return self.placement.world

    def set_world_size(self, size: int) -> None:
        pass

    def global_rank(self) -> int:
        return self.placement.rank

    def set_global_rank(self, rank: int) -> None:
        pass

    def local_rank(self) -> int:
        return self.placement.local_rank

    def node_rank(self) -> int:
        return self.placement.node


class ShardingStrategy(DDPStrategy):
    """What is trained is whole at every process, as with DDP; the frozen weights of each block are divided by FSDP.

    A block is whole only while it computes, forward or backward. It is brought to the device and divided before the
    next one comes, so that a device never holds the whole model.
    """

    def __init__(self, network: Network, find_unused: bool) -> None:
        super().__init__(find_unused_parameters=find_unused)
        self.network = network

    def model_to_device(self) -> None:
        mesh = init_device_mesh(self.root_device.type, (self.num_nodes * self.num_processes,))
        for block in self.network.blocks:
            block.to(self.root_device)
            trained = {tensor for tensor in block.parameters() if tensor.requires_grad}
            # Each block is a root of its own, since captures and behaviour call the model without what is around it.
            fully_shard(block, mesh=mesh, reshard_after_forward=True, ignored_params=trained)
        super().model_to_device()

    def _setup_model(self, model: nn.Module) -> DistributedDataParallel:
        divided = [name for name, tensor in model.named_parameters() if isinstance(tensor, DTensor)]
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(  # type: ignore[no-untyped-call]
            model, divided
        )
        return super()._setup_model(model)


def choose_strategy(ranks: Ranks, network: Network) -> Strategy | str:
    """How Lightning keeps so many models the same."""
    if ranks.world == 1:
        return "auto"
    find_unused = may_be_unused(network)
    return ShardingStrategy(network, find_unused) if ranks.sharded else DDPStrategy(find_unused_parameters=find_unused)


def may_be_unused(network: Network) -> bool:
    """Whether a step may give some of what is trained no gradient.

    An expert may meet no token, and of a model that also sees only the text is trained on. Where everything is used,
    looking for the rest at every step would be of no use.
    """
    head = network.causal.get_output_embeddings()
    used = {id(p) for part in (network.trunk, head) if part is not None for p in part.parameters()}
    # A number for the block, another one for the expert in it.
    return any(
        tensor.requires_grad and (id(tensor) not in used or sum(map(str.isdigit, name.split("."))) > 1)
        for name, tensor in network.causal.named_parameters()
    )


def choose_environment(ranks: Ranks) -> LightningEnvironment:
    return LightningEnvironment() if ranks.world == 1 else Environment(ranks.placement)
