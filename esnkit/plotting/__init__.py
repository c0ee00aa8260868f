"""Displays like those of scikit-learn: `...Display.from_...(...)` draws, `.plot()` draws again.

The first plot imports matplotlib; importing this module does not.
"""

from esnkit.plotting._candidates import CandidatesDisplay
from esnkit.plotting._decomposition import DecompositionDisplay
from esnkit.plotting._forecast import ForecastDisplay
from esnkit.plotting._gradient_norm import GradientNormDisplay
from esnkit.plotting._report import write_report
from esnkit.plotting._residuals import ResidualsDisplay

__all__ = [
    "CandidatesDisplay",
    "DecompositionDisplay",
    "ForecastDisplay",
    "GradientNormDisplay",
    "ResidualsDisplay",
    "write_report",
]
