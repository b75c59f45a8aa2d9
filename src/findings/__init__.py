"""From tables to statements: what happened in a run, how certain it is, and what it may be mistaken for."""

from .across import find_across as find_across
from .claim import Claim as Claim
from .claim import Evidence as Evidence
from .claims import answer_run as answer_run
from .claims import judge_claims as judge_claims
from .claims import judge_run as judge_run
from .complement import complementarity as complementarity
from .finding import Finding as Finding
from .groups import separability as separability
from .run import HEADLINES as HEADLINES
from .run import finding_metrics as finding_metrics
from .run import run_findings as run_findings
from .run import sentences as sentences
from .sensitivity import find_agreement as find_agreement
from .sensitivity import summarize_agreement as summarize_agreement
from .trajectory import Tracked as Tracked
from .trajectory import trajectories as trajectories
from .twins import compare_twins as compare_twins
