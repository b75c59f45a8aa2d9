"""Pure geometry of a cloud and of its movement, the companion of topology."""

from .movement import Alignment as Alignment
from .movement import align as align
from .movement import coordinates as coordinates
from .movement import displacement as displacement
from .movement import distance_change as distance_change
from .movement import in_row_space as in_row_space
from .movement import joint_coordinates as joint_coordinates
from .movement import random_part as random_part
from .movement import random_rigid_share as random_rigid_share
from .movement import rigid_share as rigid_share
from .structure import describe as describe
from .structure import intrinsic_dimension as intrinsic_dimension
