"""Design: a formula turned into coded covariates, and the same coding for new patients."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesurv.data.coding import (
    as_trained,
    check_ordinal,
    factors_as_levels,
    in_stated_order,
    linear,
    mentions,
    monotone,
    with_codings,
)
from bayesurv.data.faults import Fault, InputError, nearest

if TYPE_CHECKING:
    from bayesurv.data.cohort import Cohort
    from bayesurv.data.counts import Counts

_RESPONSE = "response__"
FUNCTIONS = ("C", "I", "scale", "center", "bs", "poly")  # formulae's, of use in a formula here


@dataclass(frozen=True)
class Rows:
    """Covariates of some patients as the model sees them.

    fixed : (individual, column) array; a monotone term has one column for each step.
    group_index : (individual, group_term) positions in `Design.groups`; -1 stands for effect 0.
    group_value : (individual, group_term) multipliers of those effects.
    """

    fixed: np.ndarray
    group_index: np.ndarray
    group_value: np.ndarray


@dataclass(frozen=True)
class Design:
    """Coding of a formula's terms, remembered so that new patients are coded the same way.

    Attributes
    ----------
    terms : tuple of str
        One name for each coefficient, such as "cti2" or "stage[III]".
    column_term : (column,)
        Position in `terms` of each column of `Rows.fixed`.
    monotone : mapping
        For each monotone term its step names; their effects share the term's coefficient.
    group_terms : tuple of str
        One name for each standard deviation, such as "1|centre".
    groups : tuple of str
        One name for each group effect, such as "1|centre[A]".
    group_term_of : (group,)
        Position in `group_terms` of each group effect.
    training : DataFrame
        The covariates of the cohort that the formula names.
    """

    formula: str
    terms: tuple[str, ...]
    column_term: np.ndarray
    monotone: Mapping[str, tuple[str, ...]]
    group_terms: tuple[str, ...]
    groups: tuple[str, ...]
    group_term_of: np.ndarray
    training: pd.DataFrame
    rows: Rows
    _matrices: Any

    @classmethod
    def from_cohort(cls, formula: str, cohort: "Cohort | Counts") -> "Design":
        """Code the covariates of a cohort, or of counts, by the right-hand side of a formula.

        Besides what formulae's language has, `linear(x)` scores an ordinal covariate 0, 1, 2, ...
        and `monotone(x)` lets its effect only grow (or only fall) from level to level; the bare
        name of an ordinal covariate takes the coding declared for it in the cohort.

        Raises
        ------
        InputError
            The formula cannot be read, names an unknown column or function, or holds terms that
            are constant or collinear.
        """
        return cls.from_frame(with_codings(formula, cohort.coding), cohort.covariates)

    @classmethod
    def from_frame(cls, formula: str, frame: pd.DataFrame) -> "Design":
        """Code the covariates of a frame whose columns are typed as a Cohort's are."""
        names = variables(formula, frame)
        training = factors_as_levels(formula, frame[list(names)].reset_index(drop=True))
        matrices = _evaluate(formula, training)
        columns, terms, monotone = _fixed_columns(matrices)
        group_terms, groups, group_term_of = _group_columns(matrices.group)
        design = cls(
            formula=formula,
            terms=terms,
            column_term=np.array(columns, dtype=int),
            monotone=monotone,
            group_terms=group_terms,
            groups=groups,
            group_term_of=np.array(group_term_of, dtype=int),
            training=training,
            rows=_rows(matrices.common, matrices.group, group_terms),
            _matrices=matrices,
        )
        _refuse_dependent(design)
        return design

    @property
    def variables(self) -> tuple[str, ...]:
        """Columns that the formula needs."""
        return tuple(self.training.columns)

    @property
    def group_variables(self) -> tuple[str, ...]:
        """Columns that only group terms need; new patients without them stand at effect 0."""
        if not self.group_terms:
            return ()
        factors = " ".join(term.partition("|")[2] for term in self.group_terms)
        common = " ".join(str(name) for name in self._matrices.common.terms)
        return tuple(v for v in self.variables if mentions(factors, v) and not mentions(common, v))

    def apply(self, frame: pd.DataFrame, source: str = "new patients") -> Rows:
        """Code new patients exactly as the cohort was coded.

        A grouping column that is absent, or empty, puts a patient at the groups' centre, effect 0.

        Raises
        ------
        InputError
            A column is missing, a value is missing or has the wrong type, or a level was never
            seen in the cohort (named, with the levels there are).
        """
        faults: list[Fault] = []
        coded = {name: self._column(name, frame, source, faults) for name in self.variables}
        if faults:
            raise InputError(faults)
        centred = {name: coded[name].isna().to_numpy() for name in self.group_variables}
        for name, unknown in centred.items():
            coded[name] = coded[name].mask(unknown, self.training[name].iloc[0])
        new = pd.DataFrame(coded, index=range(len(frame)))
        common = self._matrices.common.evaluate_new_data(new)
        group = self._matrices.group.evaluate_new_data(new) if self.group_terms else None
        rows = _rows(common, group, self.group_terms)
        for i, term in enumerate(self.group_terms):
            for name, unknown in centred.items():
                if mentions(term.partition("|")[2], name):
                    rows.group_index[unknown, i] = -1
        return rows

    def _column(
        self, name: str, frame: pd.DataFrame, source: str, faults: list[Fault]
    ) -> pd.Series:
        """One column of new patients, typed as in the cohort; faults are collected."""
        trained, may_lack = self.training[name], name in self.group_variables
        if name in frame:
            return as_trained(frame[name], trained, may_lack, source, faults)
        if not may_lack:
            message = f"no such column, which the formula needs.{nearest(name, frame)}"
            faults.append(Fault(message, file=source, column=name))
        return pd.Series([None] * len(frame), dtype=trained.dtype if may_lack else object)


def variables(formula: str, frame: pd.DataFrame) -> tuple[str, ...]:
    """List the columns that a formula names, in the order of the frame."""
    from formulae import model_description
    from formulae.parser import Parser
    from formulae.scanner import Scanner

    whole = f"{_RESPONSE} ~ {formula}"
    try:
        named = set(model_description(whole).var_names)
        parser = Parser(Scanner(whole).scan())
        parser.parse()
        if not parser.at_end():  # formulae would leave out all that follows
            raise ValueError(f"no + or other operator before {parser.peek().lexeme!r}")
    except Exception as error:
        message = f"formula {formula!r} cannot be read: {error}"
        raise InputError(
            [Fault(f"{message}; write terms such as cti2 + C(stage) + (1 | centre)")]
        ) from None
    named -= {_RESPONSE, ""}
    unknown = sorted(name for name in named if name not in frame)
    if unknown:
        raise InputError(
            Fault(
                f"formula: no column {name!r}; the columns are {', '.join(map(str, frame))}."
                + nearest(name, frame)
            )
            for name in unknown
        )
    return tuple(str(name) for name in frame if name in named)


def _evaluate(formula: str, frame: pd.DataFrame) -> Any:
    import formulae

    check_ordinal(formula, frame)
    with_response = in_stated_order(frame).assign(**{_RESPONSE: 0.0})
    extra = {"linear": linear, "monotone": monotone}
    try:
        matrices = formulae.design_matrices(
            f"{_RESPONSE} ~ {formula}", with_response, na_action="error", extra_namespace=extra
        )
    except InputError:
        raise
    except KeyError as error:
        known = [*extra, *FUNCTIONS]
        message = f"formula {formula!r}: unknown function or name {error}; known are "
        message += f"{', '.join(known)}, and numpy's as np.log.{nearest(error.args[0], known)}"
        raise InputError([Fault(message)]) from None
    except Exception as error:
        raise InputError([Fault(f"formula {formula!r} cannot be evaluated: {error}")]) from None
    if matrices.common is None or "Intercept" not in matrices.common.terms:
        message = (
            "formula: the baseline hazard is the intercept and cannot be removed (no 0 + or - 1)"
        )
        raise InputError([Fault(message)])
    return matrices


def _fixed_columns(matrices: Any) -> tuple[list[int], tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Term position of each column after the intercept, the term names, and the monotone steps."""
    columns: list[int] = []
    terms: list[str] = []
    steps: dict[str, tuple[str, ...]] = {}
    for name, term in matrices.common.terms.items():
        if name == "Intercept":
            continue
        if name.startswith("offset("):
            message = f"formula: {name!r} would get a coefficient; offsets are not supported"
            raise InputError([Fault(message)])
        labels = [str(label) for label in term.labels]
        if "monotone(" in name:
            if not re.fullmatch(r"monotone\(\s*\w+\s*\)", name):
                raise _not_alone(name)
            columns += [len(terms)] * len(labels)
            terms.append(name)
            levels = matrices.data[name[len("monotone(") : -1].strip()].cat.categories
            steps[name] = tuple(str(level) for level in levels[1:])
        else:
            columns += range(len(terms), len(terms) + len(labels))
            terms += labels
    return columns, tuple(terms), steps


def _not_alone(name: str) -> InputError:
    return InputError([Fault(f"formula: a monotone term cannot be in {name!r}; use linear()")])


def _group_columns(group: Any) -> tuple[tuple[str, ...], tuple[str, ...], list[int]]:
    """Names of the group terms, of the group effects, and the term of each effect."""
    terms: dict[str, int] = {}
    groups: list[str] = []
    position: list[int] = []
    for term in group.terms.values() if group is not None else ():
        if "monotone(" in str(term.name):
            raise _not_alone(str(term.name))
        for label in map(str, term.labels):
            name = label.partition("|")[0] + "|" + str(term.factor.name)
            position.append(terms.setdefault(name, len(terms)))
            groups.append(label)
    return tuple(terms), tuple(groups), position


def _rows(common: Any, group: Any, group_terms: tuple[str, ...]) -> Rows:
    fixed = np.asarray(common.design_matrix, dtype=float)
    fixed = np.delete(fixed, common.slices["Intercept"], axis=1)
    index = np.full((len(fixed), len(group_terms)), -1)
    value = np.zeros((len(fixed), len(group_terms)))
    if group is not None:
        matrix = group.design_matrix
        matrix = np.asarray(matrix.todense() if hasattr(matrix, "todense") else matrix, dtype=float)
        position = np.array(_group_columns(group)[2])
        for i in range(len(group_terms)):
            columns = np.flatnonzero(position == i)
            index[:, i] = columns[np.abs(matrix[:, columns]).argmax(axis=1)]
            value[:, i] = matrix[:, columns].sum(axis=1)
    return Rows(fixed, index, value)


def _refuse_dependent(design: Design) -> None:
    """Refuse constant columns and sets of columns that determine one another."""
    columns = _distinguished(design)
    fixed = design.rows.fixed[:, columns]
    names = [design.terms[i] for i in design.column_term[columns]]
    constant = np.flatnonzero(np.ptp(fixed, axis=0) == 0)
    faults = [
        Fault(
            f"formula: {names[i]!r} is the same for all patients; leave it out",
            value=float(fixed[0, i]),
        )
        for i in constant
    ]
    faults += [
        Fault(f"formula: {term!r} has a single group; leave it out")
        for i, term in enumerate(design.group_terms)
        if (design.group_term_of == i).sum() < 2
    ]
    varying = np.delete(fixed, constant, axis=1)
    kept = [name for i, name in enumerate(names) if i not in constant]
    for together in _dependent_sets(varying, kept):
        faults.append(
            Fault(
                f"formula: {', '.join(together)} determine one another (collinear); leave one out"
            )
        )
    if faults:
        raise InputError(faults)


def _distinguished(design: Design) -> list[int]:
    """Columns without the steps of a monotone term that tell no patients apart."""
    columns: list[int] = []
    for term, name in enumerate(design.terms):
        own = np.flatnonzero(design.column_term == term)
        if name in design.monotone:
            steps = design.rows.fixed[:, own]
            first = np.unique(steps, axis=1, return_index=True)[1]
            climbed = [i for i in np.sort(first) if np.ptp(steps[:, i]) > 0]
            own = own[climbed or [0]]
        columns += own.tolist()
    return columns


def _dependent_sets(columns: np.ndarray, names: list[str]) -> list[list[str]]:
    """Sets of columns with a linear relation (the intercept may take part in it)."""
    if not columns.shape[1]:
        return []
    scaled = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    found: list[list[str]] = []
    independent: list[int] = []
    for j in range(scaled.shape[1]):
        basis = scaled[:, independent]
        weights = np.linalg.lstsq(basis, scaled[:, j], rcond=None)[0]
        if np.abs(basis @ weights - scaled[:, j]).max() < 1e-7:
            others = [names[independent[k]] for k in np.flatnonzero(np.abs(weights) > 1e-7)]
            found.append([*others, names[j]])
        else:
            independent.append(j)
    return found
