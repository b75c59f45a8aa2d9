"""Pure geometry of a cloud and of its movement, the companion of topology."""

from .movement import coordinates as coordinates
from .movement import displacement as displacement
from .movement import distance_change as distance_change
from .movement import joint_coordinates as joint_coordinates
from .movement import nonrigid_movement as nonrigid_movement
from .movement import procrustes as procrustes
from .movement import project_to_row_space as project_to_row_space
from .movement import random_rigid_fraction as random_rigid_fraction
from .movement import rigid_fraction as rigid_fraction
from .structure import describe as describe
from .structure import dominant_share as dominant_share
from .structure import intrinsic_dimension as intrinsic_dimension
