"""Pure topology of finite point clouds: distances, persistence diagrams, distances between diagrams, summaries."""

from .diagram_distance import coherence as coherence
from .diagram_distance import diagram_distance as diagram_distance
from .homology import compute_diagram as compute_diagram
from .summaries import summarize as summarize
