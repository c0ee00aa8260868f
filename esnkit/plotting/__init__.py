"""Displays in the manner of scikit-learn: `...Display.from_...(...)`, then `.plot()`.

matplotlib is imported by the first plot, not by the import of this module.
"""

from esnkit.plotting._forecast import ForecastDisplay
from esnkit.plotting._gradient_norm import GradientNormDisplay

__all__ = ["ForecastDisplay", "GradientNormDisplay"]
