"""Pure topology of finite point clouds: distances, diagrams, distances between diagrams, divergence, summaries."""

from .diagram_distance import coherence as coherence
from .diagram_distance import diagram_distance as diagram_distance
from .homology import compute_diagram as compute_diagram
from .rtd import topology_divergence as topology_divergence
from .summaries import summarize as summarize
