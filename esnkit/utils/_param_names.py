"""Names of the parameters of estimators, which scikit-learn reads from the signature every time."""

from typing import Any, Self

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

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of nested estimators by names such as ``readout__alpha``.

        Parameters
        ----------
        **params : dict
            Parameters by name.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For an unknown name, or one of a nested estimator where there is none.
        """
        for name in params:
            outer, nested, _ = name.partition("__")
            if nested and outer not in params and getattr(self, outer, self) is None:
                raise ValueError(
                    f"{name} is a parameter of {outer}, which is None: give an estimator as {outer}"
                )
        return super().set_params(**params)  # type: ignore[misc]
