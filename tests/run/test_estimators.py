from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from backproof.run.estimators import BackpropClassifier, BackpropRegressor


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "kernels"))


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [BackpropClassifier(random_state=0), BackpropRegressor(random_state=0)], ids=str)
def test_scikit_learn_s_own_checks(estimator) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks warn on purpose
        results = check_estimator(estimator, on_fail=None, on_skip=None)
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert failed == {}
    assert sum(r["status"] == "passed" for r in results) > 50


def test_a_search_over_a_pipeline_learns_the_irises() -> None:
    inputs, labels = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[labels]
    pipeline = make_pipeline(StandardScaler(), BackpropClassifier(hidden=(8,), epochs=25, random_state=0))
    search = GridSearchCV(pipeline, {"backpropclassifier__rate": [1e-5, 0.02]}, cv=3).fit(inputs, names)
    assert search.best_params_ == {"backpropclassifier__rate": 0.02}
    assert search.best_score_ > 0.92
    assert set(search.predict(inputs)) == set(names)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    assert (again.predict_proba(inputs) == search.best_estimator_.predict_proba(inputs)).all()


def test_partial_fit_goes_on() -> None:
    inputs, labels = load_iris(return_X_y=True)
    model = BackpropClassifier(hidden=(8,), rate=0.01, random_state=0)
    for _ in range(20):
        model.partial_fit(inputs, labels, classes=[0, 1, 2])
    assert len(model.loss_curve_) == 20
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    with pytest.raises(ValueError, match="none of the classes"):
        model.partial_fit(inputs, labels + 1)


def test_several_labels_at_once() -> None:
    inputs, labels = make_multilabel_classification(n_samples=80, n_features=6, n_classes=3, random_state=0)
    model = clone(BackpropClassifier(hidden=(), epochs=60, rate=0.05, random_state=0)).fit(inputs, labels)
    assert model.predict(inputs).shape == labels.shape
    assert (model.predict(inputs) == labels).mean() > 0.75


def test_several_values_at_once() -> None:
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(100, 3))
    targets = inputs @ generator.normal(size=(3, 2))
    model = BackpropRegressor(hidden=(), optimiser="lbfgs", epochs=100, random_state=0).fit(inputs, targets)
    assert model.score(inputs, targets) > 0.999
