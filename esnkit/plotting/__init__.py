"""Displays like those of scikit-learn: `...Display.from_...(...)` draws, `.plot()` draws again.

The first plot imports matplotlib; importing this module does not.
"""

from esnkit.plotting._attractor import AttractorDisplay
from esnkit.plotting._candidates import CandidatesDisplay
from esnkit.plotting._confusion_over_time import ConfusionOverTimeDisplay
from esnkit.plotting._decomposition import DecompositionDisplay
from esnkit.plotting._early_classification import EarlyClassificationDisplay
from esnkit.plotting._eigenvalues import EigenvaluesDisplay
from esnkit.plotting._forecast import ForecastDisplay
from esnkit.plotting._gradient_norm import GradientNormDisplay
from esnkit.plotting._information_capacity import InformationCapacityDisplay
from esnkit.plotting._lyapunov_spectrum import LyapunovSpectrumDisplay
from esnkit.plotting._memory_capacity import MemoryCapacityDisplay
from esnkit.plotting._report import write_report
from esnkit.plotting._residuals import ResidualsDisplay
from esnkit.plotting._search import SearchDisplay
from esnkit.plotting._states import StatesDisplay
from esnkit.plotting._states_by_class import StatesByClassDisplay

__all__ = [
    "AttractorDisplay",
    "CandidatesDisplay",
    "ConfusionOverTimeDisplay",
    "DecompositionDisplay",
    "EarlyClassificationDisplay",
    "EigenvaluesDisplay",
    "ForecastDisplay",
    "GradientNormDisplay",
    "InformationCapacityDisplay",
    "LyapunovSpectrumDisplay",
    "MemoryCapacityDisplay",
    "ResidualsDisplay",
    "SearchDisplay",
    "StatesByClassDisplay",
    "StatesDisplay",
    "write_report",
]
