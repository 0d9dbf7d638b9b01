"""Estimators for scikit-learn: a feed-forward network that fits into pipelines and searches."""

# scikit-learn has no types; its mixins are Any here.
# pyright: basic, reportArgumentType=false
# ruff: noqa: ANN001, ANN201, ANN204, FBT002, N803  (scikit-learn fixes these signatures)

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from backproof.calculus.network import Network
from backproof.run.model import Model
from backproof.run.training import Data, Settings, Trainer

Array = NDArray[Any]


class _Backprop(BaseEstimator):
    """What both estimators share: their parameters, and the network behind them."""

    network_: Network
    model_: Model
    n_features_in_: int

    def __init__(
        self,
        hidden=(32,),
        activation="relu",
        loss="auto",
        optimiser="adam",
        rate=None,
        momentum=0.9,
        epochs=100,
        batch=32,
        l2=0.0,
        schedule="constant",
        clip=0.0,
        patience=0,
        initialiser="auto",
        precision="float64",
        backend="auto",
        warm_start=False,
        random_state=None,
    ):
        self.hidden = hidden
        self.activation = activation
        self.loss = loss
        self.optimiser = optimiser
        self.rate = rate
        self.momentum = momentum
        self.epochs = epochs
        self.batch = batch
        self.l2 = l2
        self.schedule = schedule
        self.clip = clip
        self.patience = patience
        self.initialiser = initialiser
        self.precision = precision
        self.backend = backend
        self.warm_start = warm_start
        self.random_state = random_state

    def _network(self, outputs: int, output: str, loss: str) -> Network:
        sizes = (self.n_features_in_, *np.atleast_1d(np.asarray(self.hidden, int)).tolist(), outputs)
        weight = None if not self.l2 else f"{float(self.l2):.12f}"
        return Network(
            sizes=tuple(str(n) for n in sizes),
            hidden=self.activation,
            output=output,
            loss=loss if self.loss == "auto" else self.loss,
            reduction="mean",
            l2=weight,
            layout="rows",
        )

    def _train(self, inputs: Array, targets: Array, weights: Array | None, *, epochs: int, start: Array | None) -> None:
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        settings = Settings(
            optimiser=self.optimiser,
            rate=self.rate,
            momentum=self.momentum,
            epochs=epochs,
            batch=self.batch,
            seed=seed,
            schedule=self.schedule,
            clip=self.clip,
            patience=self.patience,
            initialiser=self.initialiser,
            precision=self.precision,
            backend=self.backend,
            check_gradient=start is None,
        )
        model = Trainer(self.network_, settings).fit(Data(inputs, targets, weights), start=start)
        earlier = self.model_.history if start is not None else []
        self.model_ = model
        self.model_.history = [*earlier, *model.history]
        self.loss_curve_ = [record["loss"] for record in self.model_.history]
        self.n_iter_ = max(1, len(self.loss_curve_))
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else float("nan")

    def _weights(self, sample_weight: Any, inputs: Array) -> Array | None:
        return None if sample_weight is None else _check_sample_weight(sample_weight, inputs, dtype=np.float64)

    def _outputs(self, X: Any) -> Array:
        check_is_fitted(self)
        inputs = validate_data(self, X, reset=False, dtype=np.float64)
        return self.model_.outputs(np.asarray(inputs)).astype(np.float64)

    def _start(self) -> Array | None:
        return self.model_.theta if self.warm_start and hasattr(self, "model_") else None


class BackpropClassifier(ClassifierMixin, _Backprop):
    """A classifier: softmax with cross-entropy, or sigmoids with binary cross-entropy for several labels at once.

    Parameters are those of `Settings` and `Network`: `hidden` layer sizes, `activation`, `loss` ("auto" suits the
    target), `optimiser`, `rate`, `epochs`, `batch`, `l2`, `schedule`, `clip`, `patience`, `initialiser`.
    """

    _pairs: ClassVar[dict[bool, tuple[str, str]]] = {False: ("softmax", "cross-entropy"), True: ("sigmoid", "bce")}

    def fit(self, X, y, sample_weight=None):
        """Train on examples as rows; y holds labels, or a 0/1 matrix for several labels at once."""
        inputs, labels = validate_data(self, X, y, multi_output=True, dtype=np.float64)
        start = self._start()
        targets = self._targets(labels, classes=None, keep=start is not None)
        if start is None:
            self.network_ = self._network(targets.shape[1], *self._pairs[self.multilabel_])
        weights = self._weights(sample_weight, inputs)
        self._train(inputs, targets, weights, epochs=self.epochs, start=start)
        return self

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """One more epoch on these examples; the first call names all classes."""
        first = not hasattr(self, "model_")
        inputs, labels = validate_data(self, X, y, multi_output=True, dtype=np.float64, reset=first)
        targets = self._targets(labels, classes=classes, keep=not first)
        if first:
            self.network_ = self._network(targets.shape[1], *self._pairs[self.multilabel_])
        start = None if first else self.model_.theta
        self._train(inputs, targets, self._weights(sample_weight, inputs), epochs=1, start=start)
        return self

    def predict_proba(self, X):
        """The probability of every class, one row for each example."""
        return self._outputs(X)

    def predict_log_proba(self, X):
        """The logarithms of the probabilities."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X):
        """The likeliest class of each example, or a 0/1 matrix for several labels at once."""
        probabilities = self.predict_proba(X)
        if self.multilabel_:
            return (probabilities > 0.5).astype(int)
        return self.classes_[probabilities.argmax(axis=1)]

    def _targets(self, labels: Array, classes: Any, *, keep: bool) -> Array:
        check_classification_targets(labels)
        labels = np.asarray(labels)
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = column_or_1d(labels, warn=True)
        if labels.ndim == 2:
            if not np.isin(labels, (0, 1)).all():
                raise ValueError(
                    "several labels at once must be a matrix of 0 and 1; multioutput of classes is not supported"
                )
            self.multilabel_ = True
            self.classes_ = np.arange(labels.shape[1])
            return labels.astype(np.float64)
        self.multilabel_ = False
        if not keep:
            self.classes_ = np.unique(labels if classes is None else classes)
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y holds the label {unknown[0]!r}, which is none of the classes {self.classes_.tolist()!r}"
            )
        return np.eye(len(self.classes_))[np.searchsorted(self.classes_, labels)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class BackpropRegressor(RegressorMixin, _Backprop):
    """A regressor: a linear output layer with half of the squared error, or another loss of the catalogue."""

    def fit(self, X, y, sample_weight=None):
        """Train on examples as rows; y is a vector, or a matrix with a column for each target."""
        inputs, values = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        start = self._start()
        targets = self._targets(values)
        if start is None:
            self.network_ = self._network(targets.shape[1], "identity", "half-mse")
        self._train(inputs, targets, self._weights(sample_weight, inputs), epochs=self.epochs, start=start)
        return self

    def partial_fit(self, X, y, sample_weight=None):
        """One more epoch on these examples."""
        first = not hasattr(self, "model_")
        inputs, values = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64, reset=first)
        targets = self._targets(values)
        if first:
            self.network_ = self._network(targets.shape[1], "identity", "half-mse")
        start = None if first else self.model_.theta
        self._train(inputs, targets, self._weights(sample_weight, inputs), epochs=1, start=start)
        return self

    def predict(self, X):
        """The predicted values, a vector or a matrix as y was."""
        outputs = self._outputs(X)
        return outputs.ravel() if self.flat_ else outputs

    def _targets(self, values: Array) -> Array:
        values = np.asarray(values, np.float64)
        if values.ndim == 2 and values.shape[1] == 1:
            values = column_or_1d(values, warn=True)
        self.flat_ = values.ndim == 1 or values.shape[1] == 1
        return values.reshape(len(values), -1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = False
        return tags
