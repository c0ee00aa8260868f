"""Echo state networks and trained recurrent networks as scikit-learn estimators.

Estimators: ESNRegressor and ESNClassifier; ESNEnsembleClassifier, several networks that classify
sequences; ReservoirRegressor and ReservoirClassifier, which join any reservoir with any readout;
RNNRegressor, RNNClassifier and Seq2SeqClassifier, trained by gradients; Forecaster, which forecasts
a series with any regressor, AutoForecaster, which chooses its networks, PanelForecaster, whose
networks learn from many series, and PatchForecaster, for fields on a line or a grid;
ReservoirSearchCV and ReservoirRandomizedSearchCV, which search parameters. The folders hold the
parts by subject: reservoirs, pooling, readouts, model_selection, forecasting, baselines, analysis,
optim, datasets, metrics, plotting, export, adapters.
"""

import importlib as _importlib
import logging as _logging
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from esnkit.utils._collections import HANDLERS as _HANDLERS

if _TYPE_CHECKING:
    from esnkit.esn import (
        ESNClassifier,
        ESNEnsembleClassifier,
        ESNRegressor,
        ReservoirClassifier,
        ReservoirRegressor,
    )
    from esnkit.export import skops_trusted_types
    from esnkit.forecasting import (
        AutoForecaster,
        Forecaster,
        PanelForecaster,
        PatchForecaster,
        SeriesTransform,
        forecast,
    )
    from esnkit.model_selection import ReservoirRandomizedSearchCV, ReservoirSearchCV
    from esnkit.networks import RNNClassifier, RNNRegressor, Seq2SeqClassifier
    from esnkit.preprocessing import (
        FromChannelsFirst,
        OneHotTokens,
        SequenceDifferencer,
        SequenceNormalizer,
        SequenceScaler,
        TokenEncoder,
    )
    from esnkit.readouts import (
        BaseReadout,
        LMSReadout,
        RidgeReadout,
        RLSReadout,
        check_readout,
    )
    from esnkit.reservoirs import (
        NVAR,
        BaseReservoir,
        BidirectionalReservoir,
        DeepReservoir,
        IntrinsicPlasticityReservoir,
        MemoryReservoir,
        ParallelReservoir,
        Reservoir,
        check_reservoir,
        effective_spectral_radius,
        rescale,
        spectral_radius,
    )

__version__ = "0.1.0"
__all__ = [
    "AutoForecaster",
    "BaseReadout",
    "BaseReservoir",
    "BidirectionalReservoir",
    "DeepReservoir",
    "ESNClassifier",
    "ESNEnsembleClassifier",
    "ESNRegressor",
    "Forecaster",
    "FromChannelsFirst",
    "LMSReadout",
    "MemoryReservoir",
    "OneHotTokens",
    "IntrinsicPlasticityReservoir",
    "NVAR",
    "PanelForecaster",
    "PatchForecaster",
    "RLSReadout",
    "ParallelReservoir",
    "RNNClassifier",
    "RNNRegressor",
    "Reservoir",
    "ReservoirClassifier",
    "ReservoirRandomizedSearchCV",
    "ReservoirRegressor",
    "ReservoirSearchCV",
    "RidgeReadout",
    "Seq2SeqClassifier",
    "SequenceDifferencer",
    "SequenceNormalizer",
    "SequenceScaler",
    "SeriesTransform",
    "TokenEncoder",
    "adapters",
    "analysis",
    "baselines",
    "check_readout",
    "check_reservoir",
    "datasets",
    "distributed",
    "effective_spectral_radius",
    "export",
    "forecast",
    "forecasting",
    "metrics",
    "model_selection",
    "optim",
    "plotting",
    "pooling",
    "readouts",
    "rescale",
    "reservoirs",
    "skops_trusted_types",
    "spectral_radius",
]

# Imported at first use: an echo state network does not wait for the trained networks, and the
# command line answers Ctrl-C from the start.
_FOLDERS = {
    "esn": (
        "ESNClassifier", "ESNEnsembleClassifier", "ESNRegressor", "ReservoirClassifier",
        "ReservoirRegressor",
    ),
    "export": ("skops_trusted_types",),
    "forecasting": (
        "AutoForecaster", "Forecaster", "PanelForecaster", "PatchForecaster", "SeriesTransform",
        "forecast",
    ),
    "model_selection": ("ReservoirRandomizedSearchCV", "ReservoirSearchCV"),
    "networks": ("RNNClassifier", "RNNRegressor", "Seq2SeqClassifier"),
    "preprocessing": (
        "FromChannelsFirst", "OneHotTokens", "SequenceDifferencer", "SequenceNormalizer",
        "SequenceScaler", "TokenEncoder",
    ),
    "readouts": ("BaseReadout", "LMSReadout", "RLSReadout", "RidgeReadout", "check_readout"),
    "reservoirs": (
        "NVAR", "BaseReservoir", "BidirectionalReservoir", "DeepReservoir",
        "IntrinsicPlasticityReservoir", "MemoryReservoir", "ParallelReservoir",
        "Reservoir", "check_reservoir", "effective_spectral_radius", "rescale", "spectral_radius",
    ),
}  # fmt: skip
_FOLDER_OF = {name: folder for folder, names in _FOLDERS.items() for name in names}

# Which module fits and predicts the collections of a library.
_HANDLERS["dask"] = "esnkit.distributed"

# Records of the loggers esnkit.* go nowhere unless a program says where; the name tells this
# handler from those of the program.
_silent = _logging.NullHandler()
_silent.set_name("esnkit.default")
_logging.getLogger(__name__).addHandler(_silent)


def __getattr__(name: str) -> _Any:
    if name in _FOLDER_OF:
        return getattr(_importlib.import_module(f"esnkit.{_FOLDER_OF[name]}"), name)
    if name in __all__ or name in _FOLDERS:
        return _importlib.import_module(f"esnkit.{name}")
    raise AttributeError(f"module 'esnkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
