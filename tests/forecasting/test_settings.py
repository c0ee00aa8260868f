"""Settings that all candidates have in common: read, or refused by their names."""

import pytest

from esnkit.forecasting._settings import check_settings


def test_settings_are_read_and_not_changed():
    given = {"differences": 2, "alpha": 1, "leak_rate": [0.1, 1.0], "topology": "cycle"}
    expected = {"differences": (1, 1), "alpha": 1.0, "leak_rate": (0.1, 1.0), "topology": "cycle"}
    assert check_settings(given) == expected and given["differences"] == 2
    assert check_settings(None) == check_settings({}) == {}


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ([("alpha", 1.0)], TypeError, "settings must be a dict or None, got"),
        ({"units": 5}, ValueError, "settings must have keys among .*'n_units'.*, got 'units'"),
        ({"alpha": 0}, ValueError, r"settings\['alpha'\] must be a finite number > 0, got 0"),
        ({"differences": 7}, ValueError, "differences must be an order from 0 to 2"),
    ],
)
def test_others_are_refused(settings, kind, message):
    with pytest.raises(kind, match=message):
        check_settings(settings)
