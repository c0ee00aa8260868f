"""Files of fitted estimators: the types that skops asks the reader of a file to trust."""

__all__ = ["skops_trusted_types"]

# All else in the state of an estimator is plain values, see `utils/_plain_state.py`.
_ESTIMATORS = (
    "esnkit.baselines._autoregressive.AutoregressiveModel",
    "esnkit.baselines._autoregressive.RidgeAutoregression",
    "esnkit.baselines._hidden_markov_model.HiddenMarkovModel",
    "esnkit.baselines._linear_dynamical_system.LinearDynamicalSystem",
    "esnkit.baselines._parrot.ContextParrot",
    "esnkit.baselines._window_mlp.WindowMLP",
    "esnkit.esn._ensemble.ESNEnsembleClassifier",
    "esnkit.esn._presets.ESNClassifier",
    "esnkit.esn._presets.ESNRegressor",
    "esnkit.esn._presets.ReservoirClassifier",
    "esnkit.esn._presets.ReservoirRegressor",
    "esnkit.forecasting._auto_forecaster.AutoForecaster",
    "esnkit.forecasting._forecaster.Forecaster",
    "esnkit.forecasting._panel_forecaster.PanelForecaster",
    "esnkit.forecasting._patch_forecaster.PatchForecaster",
    "esnkit.forecasting._series_transform.SeriesTransform",
    "esnkit.model_selection._search.ReservoirRandomizedSearchCV",
    "esnkit.model_selection._search.ReservoirSearchCV",
    "esnkit.networks._rnn.RNNClassifier",
    "esnkit.networks._rnn.RNNRegressor",
    "esnkit.networks._seq2seq.Seq2SeqClassifier",
    "esnkit.pooling._model_space.ModelSpace",
    "esnkit.preprocessing._channels_first.FromChannelsFirst",
    "esnkit.preprocessing._one_hot_tokens.OneHotTokens",
    "esnkit.preprocessing._sequence_differencer.SequenceDifferencer",
    "esnkit.preprocessing._sequence_normalizer.SequenceNormalizer",
    "esnkit.preprocessing._sequence_scaler.SequenceScaler",
    "esnkit.preprocessing._tokens.TokenEncoder",
    "esnkit.readouts._lms.LMSReadout",
    "esnkit.readouts._ridge.RidgeReadout",
    "esnkit.readouts._rls.RLSReadout",
    "esnkit.reservoirs._bidirectional.BidirectionalReservoir",
    "esnkit.reservoirs._deep.DeepReservoir",
    "esnkit.reservoirs._intrinsic_plasticity.IntrinsicPlasticityReservoir",
    "esnkit.reservoirs._memory.MemoryReservoir",
    "esnkit.reservoirs._nvar.NVAR",
    "esnkit.reservoirs._parallel.ParallelReservoir",
    "esnkit.reservoirs._reservoir.Reservoir",
    # What a search without `scoring` scores by: it calls the `score` of the estimator.
    "sklearn.metrics._scorer._PassthroughScorer",
)


def skops_trusted_types() -> list[str]:
    """Return the types of esnkit that files of skops name, for its parameter `trusted`.

    skops saves fitted estimators without pickle, whose files can run any code. It loads a file only
    if the reader trusts all types in it: those here, which are the estimators of esnkit and the
    scorer of searches without `scoring`, those that skops itself trusts, such as scikit-learn's,
    and those that you add, such as other estimators or functions that you have passed as
    parameters.

    Returns
    -------
    list of str
        Sorted.

    See Also
    --------
    skops.io.get_untrusted_types : The types that a file needs.

    Examples
    --------
    >>> from esnkit import skops_trusted_types
    >>> "esnkit.esn._presets.ESNRegressor" in skops_trusted_types()
    True

    With ``pip install 'esnkit[skops]'``::

        skops.io.dump(model, "model.skops")
        model = skops.io.load("model.skops", trusted=esnkit.skops_trusted_types())
    """
    return list(_ESTIMATORS)
