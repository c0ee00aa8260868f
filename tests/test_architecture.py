"""The house rules that a machine can check: layers, borders, sizes and docstrings."""

import ast
import importlib
import inspect
import re
import textwrap
import tomllib
from functools import cache
from pathlib import Path
from types import FunctionType

import pytest
from processes import outputs_of
from sklearn.base import BaseEstimator

import esnkit

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "esnkit"
FILES = sorted(PACKAGE.rglob("*.py"))
LIBRARY = [path for path in FILES if path.relative_to(PACKAGE).parts[0] != "kernels"]
IMPORTABLE = [path for path in LIBRARY if path.stem != "__main__"]

# From the top down, as in the overview of the folders: imports point downwards in this order.
LADDER = (
    "__main__",
    "cli",
    "__init__",
    "export",
    "adapters",
    "distributed",
    "model_selection",
    "plotting",
    "analysis",
    "baselines",
    "forecasting",
    "networks",
    "optim",
    "esn",
    "pooling",
    "readouts",
    "reservoirs",
    "preprocessing",
    "metrics",
    "sequences",
    "datasets",
    "utils",
    "kernels",
)
RUNG = {folder: len(LADDER) - height for height, folder in enumerate(LADDER)}
# llvmlite is the part of Numba that emits machine instructions.
FOR_KERNELS = {"collections", "math", "operator", "typing", "numpy", "numba", "llvmlite"}
# What compiles, and keeps compiled code on disk, needs some more.
FOR_KERNELS |= {"contextlib", "functools", "gc", "hashlib", "importlib", "logging", "os", "pathlib"}
FOR_KERNELS |= {"pickle", "select", "shutil", "sys", "time", "uuid", "warnings"}
# Loaded where they are first used, never by ``from esnkit import ESNRegressor``.
LATE = {"matplotlib", "pandas", "scipy.signal", "scipy.optimize", "sklearn.linear_model"}
MOST_LINES = 60
MOST_PARAMETERS = 8


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def part(dotted):
    """Return the part of the package that a dotted name belongs to: esnkit.kernels.x, kernels."""
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


@cache
def nodes(path):
    """List all nodes of the syntax tree of a file."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.fixture(scope="module", autouse=True)
def forget_nodes():
    """Free what all tests of this file share, and no others need."""
    yield
    nodes.cache_clear()


def imports(path):
    """Yield every imported dotted name, whether at the top of the file or inside a function."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def esnkit_part(dotted):
    """As ``part``, but a name that is no module of ours came from esnkit/__init__.py."""
    found = part(dotted)
    return found if found in RUNG else "__init__"


def functions(path):
    kinds = ast.FunctionDef, ast.AsyncFunctionDef
    return [node for node in nodes(path) if isinstance(node, kinds)]


def without_docstring(function):
    first = function.body[0]
    has_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return function.body[1:] if has_docstring else function.body


def for_each(paths):
    """Let one test of a path check all of them: several thousand tests take long to report."""

    def decorate(check):
        def check_all():
            for path in paths:
                try:
                    check(path)
                except AssertionError as error:
                    error.add_note(f"in {path.relative_to(ROOT)}")
                    raise

        check_all.__name__, check_all.__doc__ = check.__name__, check.__doc__
        return check_all

    return decorate


every_file, every_library_file = for_each(FILES), for_each(LIBRARY)
every_importable_file = for_each(IMPORTABLE)


@every_file
def test_every_module_stands_on_a_rung(path):
    assert part(name_of(path)) in RUNG, "give the new module its place in LADDER"


@every_file
def test_imports_point_down(path):
    own = part(name_of(path))
    for name in imports(path):
        if name.split(".")[0] != "esnkit":
            continue
        other = esnkit_part(name)
        inside_one_folder = other == own and path.parent != PACKAGE
        assert inside_one_folder or RUNG[other] < RUNG[own], f"{own} imports {name}"


@every_library_file
def test_numba_stays_in_the_kernels(path):
    assert {"numba", "llvmlite"}.isdisjoint(name.split(".")[0] for name in imports(path))


@for_each(sorted(PACKAGE.glob("kernels/*.py")))
def test_addresses_and_machine_instructions_stay_in_simd(path):
    assert "llvmlite" not in {name.split(".")[0] for name in imports(path)}
    attributes = {node.attr for node in nodes(path) if isinstance(node, ast.Attribute)}
    assert "ctypes" not in attributes


@for_each(sorted(PACKAGE.glob("kernels/**/*.py")))
def test_kernels_know_only_arrays(path):
    for name in imports(path):
        ours = name.startswith("esnkit.kernels.")
        assert ours or name.split(".")[0] in FOR_KERNELS, f"a kernel imports {name}"


@for_each(FILES + sorted(ROOT.glob("examples/*.py")))
def test_only_public_names_of_sklearn(path):
    ours_to_use = [name for name in imports(path) if name.split(".")[0] == "sklearn"]
    private = [name for name in ours_to_use if re.search(r"\._(?!_)", name)]
    assert not private


@every_file
def test_functions_fit_on_a_screen(path):
    for function in functions(path):
        body = without_docstring(function)
        length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
        assert length <= MOST_LINES, f"{function.name} has {length} lines"


def parameters(function):
    arguments = function.args
    names = [a.arg for a in arguments.posonlyargs + arguments.args + arguments.kwonlyargs]
    return [name for name in names if name not in ("self", "cls")]


@every_file
def test_private_functions_have_few_parameters(path):
    public = public_functions()
    for function in functions(path):
        if function.name == "__init__" or (name_of(path), function.name) in public:
            continue
        # Numba passes the typing context to an intrinsic before its arguments.
        found = [name for name in parameters(function) if name != "typingctx"]
        assert len(found) <= MOST_PARAMETERS, f"{function.name} has {len(found)} parameters"


@cache
def public_functions():
    """List (module, name) of the functions and methods that users call."""
    found = set()
    for thing in public_things().values():
        if inspect.isfunction(thing):
            found.add((thing.__module__, thing.__name__))
        for cls in inspect.getmro(thing) if inspect.isclass(thing) else ():
            methods = public_methods(thing) if cls.__module__.startswith("esnkit") else {}
            found |= {(cls.__module__, name) for name in methods if name in vars(cls)}
    return found


@every_file
def test_every_module_has_a_test_file(path):
    relative = path.relative_to(PACKAGE)
    if path.stem in {"__init__", "__main__"}:
        return
    test = ROOT / "tests" / relative.parent / f"test_{path.stem.lstrip('_')}.py"
    assert test.exists(), f"{relative} has no test file {test.relative_to(ROOT)}"


@every_library_file
def test_no_class_of_ours_is_asked_for_outside_its_file(path):
    for node in nodes(path):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
            "isinstance",
            "issubclass",
        ):
            asked = {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
            for name in asked & {"Reservoir", "RidgeReadout"}:
                defined = {n.name for n in nodes(path) if isinstance(n, ast.ClassDef)}
                assert name in defined, f"line {node.lineno} asks for the class {name}"


# Names of cells and solvers stand in their tables alone.
NAMES = {"rnn", "lstm", "gru", "gru_before", "adam", "sgd", "hessian_free"}


@every_library_file
def test_names_of_cells_and_solvers_are_not_compared(path):
    for node in nodes(path):
        if isinstance(node, ast.Compare):
            constants = {c.value for c in ast.walk(node) if isinstance(c, ast.Constant)}
            compared = {c for c in constants if isinstance(c, str)} & NAMES
            assert not compared, f"line {node.lineno} compares with {sorted(compared)}"


@every_library_file
def test_only_the_command_line_prints(path):
    if part(name_of(path)) in {"cli", "__main__"}:
        return
    called = [node.func for node in nodes(path) if isinstance(node, ast.Call)]
    assert "print" not in {func.id for func in called if isinstance(func, ast.Name)}


def imported(path):
    return importlib.import_module(name_of(path).removesuffix(".__init__"))


def constructors(path):
    """Yield the ``__init__`` of every estimator that is written in this file."""
    module = imported(path)
    for cls in vars(module).values():
        if inspect.isclass(cls) and issubclass(cls, BaseEstimator) and "__init__" in vars(cls):
            if cls.__module__ == module.__name__:
                source = textwrap.dedent(inspect.getsource(cls.__init__))
                yield cls.__name__, ast.parse(source).body[0]


@every_importable_file
def test_constructors_of_estimators_only_assign(path):
    for name, init in constructors(path):
        arguments = [a.arg for a in init.args.args[1:] + init.args.kwonlyargs]
        assert init.args.vararg is None and init.args.kwarg is None, name
        statements = [ast.unparse(statement) for statement in without_docstring(init)]
        assert sorted(statements) == sorted(f"self.{a} = {a}" for a in arguments), name


def public_things():
    """List what a user imports: the names of esnkit, and those of its public submodules."""
    things = {name: getattr(esnkit, name) for name in esnkit.__all__}
    for module_name, module in list(things.items()):
        if inspect.ismodule(module):
            things |= {f"{module_name}.{name}": getattr(module, name) for name in module.__all__}
    classes = {n: t for n, t in things.items() if inspect.isclass(t) and not issubclass(t, Warning)}
    return classes | {n: t for n, t in things.items() if inspect.isfunction(t)}


def public_methods(thing):
    """List the methods that a class of ours writes itself and a user may call."""
    if not inspect.isclass(thing):
        return {}
    ours = [cls for cls in thing.__mro__ if cls.__module__.startswith("esnkit.")]
    written = {name: member for cls in reversed(ours) for name, member in vars(cls).items()}
    return {
        name: getattr(thing, name)
        for name, member in written.items()
        if not name.startswith("_") and isinstance(member, FunctionType | classmethod)
    }


def parameters_of(thing):
    """List the parameters of a function, class or method as a docstring should name them."""
    return {name for name in inspect.signature(thing).parameters if name != "self"}


def documented_parameters(docstring):
    """List the names at the left edge of a numpydoc Parameters section, stars dropped."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-{3,}$|\Z)", docstring, re.M | re.S)
    heads = re.findall(r"^(\*{0,2}\w.*?)(?: :|$)", section[1], re.M) if section else []
    return {name.strip(" *") for head in heads for name in head.split(",")}


def mismatch(thing):
    """Return the parameters that a docstring lacks, or names though there are none such."""
    return documented_parameters(inspect.getdoc(thing) or "") ^ parameters_of(thing)


def test_docstrings_of_public_names_cover_every_parameter():
    assert {n: mismatch(t) for n, t in public_things().items() if mismatch(t)} == {}


def test_docstrings_of_public_methods_cover_every_parameter():
    methods = {
        f"{name}.{method}": function
        for name, thing in public_things().items()
        for method, function in public_methods(thing).items()
    }
    assert {n: mismatch(t) for n, t in methods.items() if mismatch(t)} == {}


def test_every_public_name_shows_an_example():
    assert [n for n, t in public_things().items() if ">>> " not in (t.__doc__ or "")] == []


def test_users_see_public_names_only():
    assert sorted(dir(esnkit)) == sorted([*esnkit.__all__, "__version__"])
    for folder in sorted(PACKAGE.glob("*/__init__.py")):
        if folder.parent.name in {"kernels", "utils", "cli"}:
            continue
        module = importlib.import_module(f"esnkit.{folder.parent.name}")
        assert module.__all__, "a folder exports its public names"
        assert not [name for name in module.__all__ if name.startswith("_")]


def test_importing_esnkit_loads_no_library():
    code = "import esnkit, sys; print({'numpy', 'numba', 'sklearn'}.isdisjoint(sys.modules))"
    assert outputs_of(code, {}) == ["True\n"]


def test_importing_estimators_loads_nothing_heavy(output_of):
    code = (
        "import sys; before = set(sys.modules)\n"
        "from esnkit import ESNRegressor, Forecaster, Reservoir, RidgeReadout, spectral_radius\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    assert LATE.isdisjoint(output_of(code).split())


def test_modules_are_found_without_being_imported_first(output_of):
    code = "import esnkit; print(esnkit.readouts._ridge.RidgeReadout is esnkit.RidgeReadout)"
    assert output_of(code) == "True\n"


def test_the_lowest_versions_are_the_declared_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + extras["plot"] + extras["dataframe"] + extras["test"]
    bounds = {item.replace(">=", "==") for item in wanted if ">=" in item}
    lines = (ROOT / ".ci" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    assert {line for line in lines if "==" in line} == bounds
