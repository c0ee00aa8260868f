"""Members of a composed reservoir: clones of one reservoir that differ in some parameters."""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import clone

from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._blocks import segments
from esnkit.reservoirs._compiled import Network, run_member_loops
from esnkit.reservoirs._own_params import check_params
from esnkit.reservoirs._reservoir import Reservoir
from esnkit.reservoirs._state_equation import StateEquation
from esnkit.reservoirs._unit_threads import MIN_UNITS
from esnkit.reservoirs.input_weights import INPUT_WEIGHTS
from esnkit.sequences._packing import Sequences
from esnkit.utils._seeds import first_seed, seed_names, seeds_of_parts
from esnkit.utils._validation import check_choice, check_positive_int, check_seed, has_methods

CACHED_BYTES = 2**19  # of the features of a member that the next one reads, or that are copied

__all__ = [
    "InputScaleMixin",
    "MembersMixin",
    "check_interlayer_weights",
    "check_reservoir_parameter",
    "check_template",
    "make_members",
    "members_read_inputs",
    "run_member",
    "seeded_clone",
]


def check_reservoir_parameter(name: str, value: Any) -> None:
    """Raise if a parameter is no reservoir."""
    if isinstance(value, type) or not has_methods(value, "draw", "run", "get_params"):
        raise TypeError(
            f"{name} must be a reservoir (esnkit.reservoirs.BaseReservoir), got {value!r}"
        )


def check_template(reservoir: Any) -> Any:
    """Return the reservoir to clone, the default one for None, or raise."""
    reservoir = Reservoir() if reservoir is None else reservoir
    check_reservoir_parameter("reservoir", reservoir)
    return reservoir


def seeded_clone(reservoir: Any, random_state: Any) -> Any:
    """Return a clone of a reservoir, the default one for None, with a seed if it has none."""
    reservoir = clone(check_template(reservoir))
    if reservoir.get_params(deep=False).get("random_state", 0) is None:
        reservoir.set_params(random_state=random_state)
    return reservoir


def make_members(
    reservoir: Any, n_members: int, name: str, params: Any, random_state: Any
) -> list[BaseReservoir]:
    """Return clones with one value each of the given parameters, and one seed each.

    ``params`` maps parameters of the reservoir to sequences of ``n_members`` values; ``name`` is
    its own name, for errors. The seeds come from ``random_state`` or, if that is None, from the
    first seed of the reservoir and of those nested in it; they replace all of these.
    """
    template = check_template(reservoir)
    values = _checked(template, n_members, name, params)
    known = template.get_params()
    seeds: list[Any] = [None] * n_members
    if seed_names(known):
        source = first_seed(known) if random_state is None else random_state
        seeds = check_seed(source).randint(np.iinfo(np.int32).max, size=n_members).tolist()
    members = []
    for k, seed in enumerate(seeds):
        given = {key: clone(value[k], safe=False) for key, value in values.items()}
        member = clone(template).set_params(**given)
        names = [name for name in member.get_params() if name not in given]
        own = seeds_of_parts(names, given.get("random_state", seed))
        members.append(member.set_params(**own))
    return members


def _checked(template: Any, n_members: int, name: str, params: Any) -> dict[str, Sequence]:
    """Return the parameters if each is known and has a value for each member, or raise."""
    given = check_params(name, params)
    for key, value in given.items():
        if key not in template.get_params():
            raise ValueError(
                f"{name} must have parameters of {type(template).__name__} as keys, got {key!r}"
            )
        if not isinstance(value, (list, tuple, np.ndarray)) or len(value) != n_members:
            raise ValueError(
                f"{name}[{key!r}] must be a list of {n_members} values, one for each, got {value!r}"
            )
    return given


def members_read_inputs(reservoir: Any, params: Any = None) -> bool:
    """Return whether weights of any member depend on the inputs of ``prepare``."""
    varied = any(str(name).endswith("input_scaling") for name in params or {})
    return varied or bool(getattr(check_template(reservoir), "reads_inputs", True))


def run_member(
    member: BaseReservoir,
    sequences: Sequences,
    state: np.ndarray,
    columns: slice,
    noise: Any,
    with_features: bool = True,
) -> np.ndarray:
    """Advance the columns of ``state`` that belong to a member, and return its features.

    The features (n_rows, n_features_out_) are C-contiguous, without rows if they are not wanted.
    """
    own = np.ascontiguousarray(state[:, columns])
    n_rows = len(sequences.values) if with_features or noise is not None else 0
    features = np.empty((n_rows, member.n_features_out_), state.dtype)
    forcing = {} if noise is None else {"noise": noise}
    member.run(sequences, own, features if n_rows else None, **forcing)
    state[:, columns] = own
    return features


def _features_of(member: BaseReservoir, inputs: np.ndarray, dtype: Any) -> np.ndarray:
    """Run rows as one series from the state zero, and return the features."""
    rows = Sequences(np.ascontiguousarray(inputs, dtype), np.array([0, len(inputs)]), "series")
    return run_member(member, rows, np.zeros((1, member.n_state_), dtype), slice(None), None)


def check_interlayer_weights(value: Any) -> Any:
    """Return input weights of layers that receive others: a name of the table, or a callable."""
    return value if callable(value) else check_choice("interlayer_weights", value, INPUT_WEIGHTS)


class InputScaleMixin:
    """Reservoirs that standardise inputs if the one inside, which receives them, does."""

    reservoir_: Any

    @property
    def _receiver(self) -> Any:
        return self.reservoir_

    @property
    def input_mean_(self) -> np.ndarray:
        """Mean of every input; only with ``input_scaling="auto"``."""
        return self._receiver.input_mean_

    @property
    def input_scale_(self) -> np.ndarray:
        """Divisor of every input; only with ``input_scaling="auto"``."""
        return self._receiver.input_scale_


class MembersMixin(InputScaleMixin):
    """Reservoirs that consist of several, each with the inputs or one after the other.

    A subclass has the parameters ``reservoir`` and ``random_state``. It names the others, or makes
    the members itself (``_make_members``).
    """

    causal: Any
    is_chain: ClassVar[bool]  # whether a member receives the features of the one before it
    reservoir: Any
    _members_name: ClassVar[str]  # the attribute
    _params_name: ClassVar[str]  # the parameter with what differs from member to member
    _number_name: ClassVar[str]  # the parameter with their number
    random_state: Any

    @property
    def _members(self) -> list[BaseReservoir]:
        return getattr(self, self._members_name)

    @property
    def _receiver(self) -> Any:
        return self._members[0]

    @property
    def adapts_to_inputs(self) -> bool:
        """Whether the reservoir that is cloned adapts to its inputs."""
        return getattr(check_template(self.reservoir), "adapts_to_inputs", False)

    @property
    def reads_inputs(self) -> bool:
        """Whether weights depend on the inputs of ``prepare``, not only on their number."""
        return members_read_inputs(self.reservoir, getattr(self, self._params_name))

    def draw(self, n_inputs: int, n_feedback: int = 0, dtype: Any = np.float64) -> Self:
        """Draw the weights of all members.

        Parameters
        ----------
        n_inputs : int
            Number of inputs.
        n_feedback : int, default=0
            Number of outputs that are fed back to those members that receive the inputs.
        dtype : dtype, default=float64
            float64 or float32.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of its range, or a member of a chain is not causal.
        TypeError
            If ``reservoir`` is no reservoir, or the parameters of the members are no dict.
        """
        return self.prepare(n_inputs, n_feedback, dtype)

    def prepare(
        self,
        n_inputs: int,
        n_feedback: int = 0,
        dtype: Any = np.float64,
        inputs: np.ndarray | None = None,
    ) -> Self:
        """Draw the weights, and record the width and dtype of the rows.

        Parameters
        ----------
        n_inputs, n_feedback, dtype : as in ``draw``
        inputs : ndarray of shape (n_rows, n_inputs) or None, default=None
            Inputs of ``fit``, for those members that receive them, and for those of a chain that
            adapt to the features of the member before them.

        Returns
        -------
        self
        """
        if self.is_chain:
            check_template(self.reservoir).check_causal(type(self).__name__)
        members = self._make_members(n_inputs, n_feedback)
        for member, following in zip(members, [*members[1:], None], strict=True):
            member.prepare(n_inputs, n_feedback, dtype, inputs)
            if self.is_chain:
                if inputs is not None and getattr(following, "adapts_to_inputs", False):
                    inputs = _features_of(member, inputs, dtype)
                else:
                    inputs = None
                n_inputs, n_feedback = member.n_features_out_, 0
        setattr(self, self._members_name, members)
        self.n_state_ = sum(member.n_state_ for member in members)
        self.n_features_out_ = sum(member.n_features_out_ for member in members)
        self.n_features_in_, self._dtype = members[0].n_features_in_, np.dtype(dtype)
        return self

    def _make_members(self, n_inputs: int, n_feedback: int) -> list[BaseReservoir]:
        """Return the members without weights."""
        number = check_positive_int(self._number_name, getattr(self, self._number_name))
        params = self._params_of_members(number)
        return make_members(self.reservoir, number, self._params_name, params, self.random_state)

    def _params_of_members(self, number: int) -> Any:
        """Return the parameters with a value for each member."""
        return getattr(self, self._params_name)

    def noise_stream(self) -> Any:
        """Return the random numbers of the noise of every member, None if none has noise.

        Returns
        -------
        list or None
        """
        streams = [member.noise_stream() for member in self._members]
        return None if all(stream is None for stream in streams) else streams

    def state_equations(self) -> list[StateEquation] | None:
        """Return the state equations of all members, None if one of them has none.

        Returns
        -------
        list of StateEquation or None
        """
        equations: list[StateEquation] = []
        for member in self._members:
            own = member.state_equations()
            if own is None:
                return None
            equations += own
        return equations

    @property
    def run_closed_loop(self) -> Any:
        """The compiled closed loop, see :meth:`Reservoir.run_closed_loop`; None for single steps.

        It exists if every member is a :class:`Reservoir` or consists of one.
        """
        networks: list[Network] = []
        for member in self._members:
            network = member.network() if member.state_is_features else None
            if network is None or not network.is_packed:
                return None
            networks.append(network)
        return partial(run_member_loops, networks, self.is_chain)

    def run(
        self,
        sequences: Sequences,
        state: np.ndarray,
        out: np.ndarray | None = None,
        *,
        noise: Any = None,
    ) -> None:
        """Advance ``state`` in place; if ``out`` is given, also store every feature row.

        Parameters
        ----------
        sequences : Sequences
        state : ndarray of shape (n_sequences, n_state_)
        out : ndarray of shape (n_rows, >= n_features_out_) or None, default=None
        noise : list or None, default=None
            From :meth:`noise_stream`.
        """
        n_rows = self._rows_at_once(sequences)
        for first, last, start, stop in segments(sequences.offsets, n_rows, self.causal):
            piece = sequences.rows(first, last, start, stop)
            rows = None if out is None else out[start:stop]
            self._run_piece(piece, state[first:last], rows, noise)

    def _rows_at_once(self, sequences: Sequences) -> int:
        """Return how many rows to run at once: few of one sequence, which stay in the cache.

        Several sequences run side by side, and threads share the units of a large member.
        """
        size = max(member.n_features_out_ for member in self._members)
        if sequences.n_sequences > 1 or size >= MIN_UNITS:
            return len(sequences.values)
        return max(CACHED_BYTES // (sequences.values.itemsize * size), 1)

    def _run_piece(self, sequences, state, out, noise):
        """Run all members over some rows, see `run`."""
        begin = column = 0
        for k, member in enumerate(self._members):
            own = None if noise is None else noise[k]
            columns = slice(begin, begin + member.n_state_)
            is_read = self.is_chain and k < len(self._members) - 1
            wanted = out is not None or is_read
            features = run_member(member, sequences, state, columns, own, wanted)
            begin += member.n_state_
            if out is not None:
                out[:, column : column + member.n_features_out_] = features
                column += member.n_features_out_
            if is_read:
                sequences = sequences._replace(values=features)
