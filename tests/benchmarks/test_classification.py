"""The comparison of classifiers: files are read, fits are kept, and methods are ranked."""

import csv
import importlib
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("classification")


@pytest.fixture
def data(benchmark):
    return importlib.import_module("_classification_data")


@pytest.fixture
def ranks(benchmark):
    return importlib.import_module("_ranks")


def write_waves(folder, seed=0):
    """Write slow and fast waves of unequal lengths as .ts files."""
    rng = np.random.default_rng(seed)
    for part in ("TRAIN", "TEST"):
        lines = ["# a comment: with a colon", "@problemName Waves", "@data"]
        for k in range(16):
            wave = np.sin(np.arange(20 + k) * (0.3, 0.9)[k % 2] + rng.uniform(0, 6))
            lines.append(",".join(f"{v:.6f}" for v in wave) + ":" + ("slow", "fast")[k % 2])
        (folder / f"Waves_{part}.ts").write_text("\n".join(lines) + "\n")


def test_gaps_are_filled_between_values(data, tmp_path):
    text = "# first: a comment\n@classLabel true a b\n@DATA\n1,2,3:4,5,6:a\n\n1,?,3,?:?,7,9,?:b\n"
    (tmp_path / "Two_TRAIN.ts").write_text(text)
    X, y = data._read("Two", "train", tmp_path)
    assert y.tolist() == ["a", "b"]
    np.testing.assert_array_equal(X[0], [[1, 4], [2, 5], [3, 6]])
    np.testing.assert_array_equal(X[1], [[1, 7], [2, 7], [3, 9]])  # the end is cut, gaps filled


def test_padding_keeps_values_and_continues_near_the_mean(data):
    short, long = np.arange(4.0)[:, None], np.arange(9.0)[:, None]
    padded = data.pad([short, long], 6)
    np.testing.assert_array_equal(padded[:, :4], [short, long[:4]])
    np.testing.assert_array_equal(padded[1, 4:], long[4:6])
    assert np.abs(padded[0, 4:] - 1.5).max() < 0.05


def test_the_fingerprint_is_that_of_the_values_in_their_order(data):
    def fingerprint(X, y=("a", "b")):
        half = list(X), np.array(y)
        return data.Problem("name", "A", *half, *half).fingerprint()

    X = np.random.default_rng(0).normal(size=(2, 30, 1))
    assert fingerprint(X) == fingerprint(X * (1 + 1e-15))
    others = [fingerprint(X[:, ::-1]), fingerprint(X[:, 1:]), fingerprint(X, ("b", "a"))]
    assert len({fingerprint(X), *others, fingerprint(X * 1.01)}) == 5


def test_scores_of_the_peers_are_those_of_the_data_that_are_read(benchmark, data):
    (digits,) = data.load_problems(["digits"])
    rows = [row for row in benchmark.read_rows(benchmark.PEERS) if row["set"] == "digits"]
    assert {row["method"] for row in rows} == {"minirocket", "hydra", "dtw"}
    assert {row["data"] for row in rows} == {digits.fingerprint()}


def test_the_nearest_sequence_is_that_of_the_least_warping_distance(benchmark, monkeypatch):
    def distance(a, b):
        D = np.full((len(a) + 1, len(b) + 1), np.inf)
        D[0, 0] = 0
        for i in range(len(a)):
            for j in range(len(b)):
                before = min(D[i, j], D[i, j + 1], D[i + 1, j])
                D[i + 1, j + 1] = before + ((a[i] - b[j]) ** 2).sum()
        return D[-1, -1]

    dtw = importlib.import_module("_dtw")
    monkeypatch.setattr(dtw, "squared_dtw", dtw.squared_dtw.py_func)  # without compiling
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in (1, 8, 13, 30, 9, 25, 18, 40)]
    model = dtw.NearestByDTW().fit(X[:5], np.arange(5))
    for x in X[5:]:
        exact = [distance(x, other) for other in X[:5]]
        found = [dtw.squared_dtw(x.T, other, np.inf) for other in model.reversed_]
        np.testing.assert_allclose(found, exact)
        assert model.predict([x]) == np.argmin(exact)
        assert dtw.squared_dtw(x.T, model.reversed_[3], exact[3] * 1.01) == found[3]
        assert dtw.squared_dtw(x.T, model.reversed_[3], exact[3] / 20) == np.inf


def test_classes_that_training_lacks_have_no_probability(benchmark):
    y, proba = np.array(["a", "b"]), np.array([[0.75, 0.25], [0.25, 0.75]])
    found = benchmark.judge(y, proba, np.array(["a", "c"]))
    assert float(found["calibration_error"]) == pytest.approx(0.25)  # half right at 0.75
    assert float(found["log_loss"]) > 10


def test_a_folder_is_run_once_for_the_same_data(benchmark, tmp_path, monkeypatch, capsys):
    def run(more=""):
        arguments = f"--folder {tmp_path} --methods esn,logistic --seeds 2 --file {file} {more}"
        monkeypatch.setattr("sys.argv", ["classification.py", *arguments.split()])
        benchmark.main()
        return capsys.readouterr().out, list(csv.DictReader(file.read_text().splitlines()))

    file = tmp_path / "results.csv"
    write_waves(tmp_path)
    out, rows = run()
    fits = [(row["method"], row["seed"]) for row in rows]
    assert fits == [("esn", "0"), ("esn", "1"), ("logistic", "0")]
    assert all(float(row["accuracy"]) > 0.9 for row in rows if row["method"] == "esn")
    assert all(float(row["cpu_seconds"]) < 10 for row in rows)
    assert "Waves: 16 and 16 sequences of 20 to 35 steps, 1 channel, 2 classes" in out
    assert "sets of the folder: 1 sets (Waves)" in out

    again, same = run()
    assert same == rows and again.partition("Waves:")[2] == out.partition("Waves:")[2]
    write_waves(tmp_path, seed=1)
    assert len(run()[1]) == 2 * len(rows)
    out, rows = run("--splits 2 --methods logistic,svm")
    assert {row["set"] for row in rows[-4:]} == {"Waves, split 0", "Waves, split 1"}
    assert "random splits: 2 sets (Waves, split 0, Waves, split 1)" in out


def test_random_splits_have_the_sizes_and_labels_of_the_given_one(data, tmp_path):
    write_waves(tmp_path)
    (given,) = data.load_folder(tmp_path)
    first, again, other = (given.split_again(seed) for seed in (0, 0, 1))
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    for problem in (first, other):
        assert len(problem.X_train) == len(problem.X_test) == 16
        assert np.unique(problem.y_train, return_counts=True)[1].tolist() == [8, 8]
        sums = sorted(x.sum() for x in problem.X_train + problem.X_test)
        assert sums == sorted(x.sum() for x in given.X_train + given.X_test)
    assert (other.name, other.part) == ("Waves, split 1", "split")


def test_an_empty_folder_says_what_it_should_hold(data, tmp_path):
    with pytest.raises(FileNotFoundError, match="NAME_TRAIN.ts|.tsv|.txt with NAME_TEST beside"):
        list(data.load_folder(tmp_path))


def test_equal_scores_share_their_rank(ranks):
    found = ranks.ranks_of(np.array([[0.9, 0.8, 0.9], [0.5, 0.7, 0.6]]))
    np.testing.assert_array_equal(found, [[1.5, 3, 1.5], [3, 1, 2]])
    assert ranks.compare(np.array([1, 2, 3, 3]), np.array([1, 1, 2, 4])) == [2, 1, 1]


def test_holm_stops_at_the_first_pair_that_does_not_differ(ranks):
    p_values = {(0, 1): 0.04, (0, 2): 0.01, (1, 2): 0.03}
    assert ranks.holm(p_values, 0.05) == {(0, 2)}  # 0.01 < 0.05 / 3, and 0.03 > 0.05 / 2
    assert ranks.holm({(0, 1): 0.01, (0, 2): 0.02, (1, 2): 0.04}, 0.05) == {(0, 1), (0, 2), (1, 2)}


def test_a_bar_joins_methods_that_do_not_differ(ranks, tmp_path):
    rng = np.random.default_rng(0)
    base = rng.uniform(0.5, 0.8, 14)
    noise = rng.normal(size=14) * 1e-3
    scores = np.stack([base - 0.1, base + 0.1, base + noise, base], axis=1)
    assert ranks.cliques(scores) == [(1, 2)]  # of the best first: 1, then 2 and 3, then 0
    alike = base[:, None] + rng.normal(size=(14, 3)) * 1e-3
    assert ranks.cliques(np.column_stack([base - 0.1, alike])) == [(0, 2)]  # and not (1, 2) too
    assert ranks.cliques(np.repeat(base[:, None], 3, axis=1)) == [(0, 2)]
    ranks.draw(tmp_path / "ranks.png", ["worst", "best", "noisy", "plain"], scores)
    assert (tmp_path / "ranks.png").stat().st_size > 5000
