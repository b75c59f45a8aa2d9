"""Pure geometry of a cloud and of its movement, the companion of topology."""

from .movement import displacement as displacement
from .structure import describe as describe
from .structure import intrinsic_dimension as intrinsic_dimension
