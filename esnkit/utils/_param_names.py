"""Names of the parameters of estimators, which scikit-learn reads from the signature every time."""

__all__ = ["ParamNamesMixin"]


class ParamNamesMixin:
    """Read the names of the parameters once for each class; stands before BaseEstimator.

    Every clone and every `get_params` asks for them, several times for each fit of a search.
    """

    _param_names: tuple[str, ...]

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """Return the names in alphabetical order."""
        if "_param_names" not in vars(cls):  # that of a base class has other names
            cls._param_names = tuple(super()._get_param_names())  # type: ignore[misc]
        return list(cls._param_names)
