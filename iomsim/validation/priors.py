"""What is believed of the between-rounds parameters before any contest is looked at.

The priors are wide on purpose.  The model's defaults and their ranges came from the same contests,
so to start from them would be to use the contests twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np

from iomsim.errors import IomsimError, unknown
from iomsim.model.components import Behaviour
from iomsim.typing import Floats

LAWS: dict[str, tuple[str, tuple[float, ...]]] = {
    "fluid": ("beta", (2, 2)),
    "openness_fluid": ("beta", (2, 2)),
    "openness_entrenched": ("beta", (1.5, 6)),
    "openness_inf": ("beta", (1.5, 20)),
    "decay": ("beta", (2, 2)),
    "momentum_fluid": ("truncnorm", (-5 / 3, np.inf, 2.5, 1.5)),
    "momentum_entrenched": ("halfnorm", (0, 1)),
    "momentum_field": ("halfnorm", (0, 0.75)),
    "round_sd": ("halfnorm", (0, 0.3)),
    "concede_a": ("lognorm", (0.7, 0, 1)),
    "concede_b": ("lognorm", (0.7, 0, 4)),
}
"""The prior of every parameter: a law of scipy.stats and its arguments."""

GROUPS = {
    "openness": ("openness_fluid", "openness_entrenched"),
    "floor": ("openness_inf",),
    "momentum": ("momentum_fluid", "momentum_entrenched"),
    "concession": ("concede_a", "concede_b"),
}
"""Short names of several parameters."""


def chosen(parameters: Iterable[str] | None) -> tuple[str, ...]:
    """Return the fields that short names mean; all that have a prior by default.

    Raises
    ------
    UnknownNameError
        If there is no such parameter, or tallies of past contests say nothing of it.

    Examples
    --------
    >>> chosen(["floor", "decay"])
    ('openness_inf', 'decay')
    """
    if isinstance(parameters, str):
        parameters = [parameters]
    wanted = list(LAWS) if parameters is None else [key for name in parameters for key in GROUPS.get(name, (name,))]
    for key in wanted:
        if key not in LAWS:
            raise unknown("parameter that can be fitted", key, [*LAWS, *GROUPS])
    if not wanted:
        raise IomsimError("no parameter to fit")
    return tuple(dict.fromkeys(wanted))


def priors(keys: Iterable[str], own: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the priors of some parameters as frozen laws of scipy.stats.

    Parameters
    ----------
    keys : fields of the behaviour
        Which.
    own : mapping of frozen laws, optional
        Priors of your own, by field.

    Raises
    ------
    UnknownNameError, IomsimError
        If a prior is for a parameter that is not fitted, is no law, or reaches impossible values.

    Examples
    --------
    >>> round(float(priors(["fluid"])["fluid"].mean()), 3)
    0.5
    """
    keys = tuple(keys)
    for key, law in (own or {}).items():
        if key not in keys:
            raise unknown("parameter to be fitted", key, keys)
        if not hasattr(law, "ppf"):
            raise IomsimError(f"the prior of {key} must be a frozen law of scipy.stats, got {type(law).__name__}")
        _within(key, law)
    return {key: (own or {}).get(key) or _law(key) for key in keys}


@cache
def _law(key: str) -> Any:
    from scipy import stats

    name, arguments = LAWS[key]
    return getattr(stats, name)(*arguments)


def _within(key: str, law: Any) -> None:
    """Refuse a law that reaches values which the behaviour does not allow."""
    for value in law.ppf([1e-6, 1 - 1e-6]):
        try:
            Behaviour.model_validate({key: float(value)})
        except ValueError:
            raise IomsimError(f"the prior of {key} reaches {value:g}, which is not possible") from None


def from_scores(laws: Mapping[str, Any], scores: Floats) -> dict[str, Floats]:
    """Return parameter values from normal scores, shape (D, parameters): standard normal under the prior."""
    from scipy.special import ndtr

    u = np.clip(ndtr(scores), 1e-12, 1 - 1e-12)
    return {key: np.asarray(law.ppf(u[:, i])) for i, (key, law) in enumerate(laws.items())}
