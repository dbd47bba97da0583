"""What the data cannot say about a fit: findings, each one sentence with its figure and what to do."""

from cxsim.estimation.diagnosis.diagnose import diagnose
from cxsim.estimation.diagnosis.finding import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]
