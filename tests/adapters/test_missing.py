from importlib.util import find_spec

import pytest

from esnkit import adapters
from esnkit.adapters import SktimeClassifier, SktimeForecaster
from esnkit.adapters._missing import WithoutSktime

NAMES_THE_EXTRA = r"needs sktime: pip install 'esnkit\[sktime\]'"


def test_a_base_class_that_is_missing_names_the_extra():
    class Adapter(WithoutSktime):
        pass

    with pytest.raises(ImportError, match="^Adapter " + NAMES_THE_EXTRA):
        Adapter(1, key=2)


@pytest.mark.skipif(find_spec("sktime") is not None, reason="sktime is installed")
@pytest.mark.parametrize("adapter", [SktimeClassifier, SktimeForecaster])
def test_adapters_without_sktime_name_the_extra(adapter):
    with pytest.raises(ImportError, match=NAMES_THE_EXTRA):
        adapter()


@pytest.mark.skipif(find_spec("sktime") is None, reason="needs sktime")
def test_sktime_is_imported_for_an_adapter_alone(output_of):
    code = "import sys; from esnkit import adapters; print('sktime' in sys.modules)"
    assert output_of(code) == "False\n"


def test_what_is_no_adapter_is_unknown():
    with pytest.raises(AttributeError, match="'esnkit.adapters' has no attribute 'Sktime'"):
        adapters.Sktime  # noqa: B018
