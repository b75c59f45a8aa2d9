"""What a request is: its schema, its checks, its identity. Imports Hydra and OmegaConf, nothing heavy."""

from .schema import SECOND_METRIC as SECOND_METRIC
from .schema import SOURCES as SOURCES
from .schema import AdapterConfig as AdapterConfig
from .schema import Config as Config
from .schema import ModelConfig as ModelConfig
from .schema import ObjectiveConfig as ObjectiveConfig
from .schema import ProbeConfig as ProbeConfig
from .schema import ScheduleConfig as ScheduleConfig
from .schema import StoreConfig as StoreConfig
from .schema import TdaConfig as TdaConfig
from .schema import TrackingConfig as TrackingConfig
from .schema import TrainerConfig as TrainerConfig
from .setting import RequestError as RequestError
