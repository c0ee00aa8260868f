"""Displays like those of scikit-learn: `...Display.from_...(...)` draws, `.plot()` draws again.

The first plot imports matplotlib; importing this module does not.
"""

from esnkit.plotting._forecast import ForecastDisplay
from esnkit.plotting._gradient_norm import GradientNormDisplay

__all__ = ["ForecastDisplay", "GradientNormDisplay"]
