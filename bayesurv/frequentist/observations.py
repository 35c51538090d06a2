"""Follow-up and covariates as the classical methods take them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesurv.data.cohort import Cohort
from bayesurv.data.covariates import absent, is_category
from bayesurv.data.design import Design
from bayesurv.data.faults import Checklist
from bayesurv.data.read import as_text
from bayesurv.frequentist.cox import CoxFit, cox
from bayesurv.frequentist.estimate import Estimate
from bayesurv.frequentist.kaplan_meier import KaplanMeier, kaplan_meier

EVERYONE = "All patients"


@dataclass(frozen=True, eq=False)
class Observations:
    """The rows of a cohort, with one column for each term of a formula.

    cohort : Cohort
    time : (row,) end of follow-up. An event that is known only to lie in (time, upper] is dated at
        `upper`, the visit at which it was seen, as is the custom.
    covariates : (row, term). A monotone term is the share of its steps that were climbed, so that
        its hazard ratio, as the Bayesian one, is that of the last level against the first.
    terms : names of the terms.
    groups : names of the columns of group terms such as (1 | centre), whose levels can be strata.
    """

    cohort: Cohort
    time: np.ndarray
    covariates: np.ndarray
    terms: tuple[str, ...]
    groups: tuple[str, ...]

    @classmethod
    def of(cls, cohort: Cohort, formula: str) -> "Observations":
        """Code a cohort, complete in what the formula needs.

        Raises
        ------
        InputError
            As `Design.from_cohort`.
        """
        design = Design.from_cohort(formula, cohort)
        columns = design.rows.fixed
        climbed = [
            columns[:, design.column_term == i].mean(axis=1) for i in range(len(design.terms))
        ]
        covariates = np.array(climbed).reshape(len(design.terms), cohort.n_rows).T
        time = np.where(cohort.interval, cohort.upper, cohort.time)
        return cls(cohort, time, covariates, design.terms, design.group_variables)

    @property
    def strata(self) -> np.ndarray:
        """Which levels of all the groups each row has, (row,)."""
        return self.cohort.covariates.groupby(list(self.groups), observed=True).ngroup().to_numpy()

    def cox(
        self,
        terms: Sequence[str] | None = None,
        strata: np.ndarray | None = None,
        firth: bool = False,
    ) -> CoxFit:
        """Cox's model of all terms, or of these; group terms are left out."""
        names = self.terms if terms is None else tuple(terms)
        chosen = self.covariates[:, [self.terms.index(name) for name in names]]
        times = self.time, self.cohort.event
        return cox(*times, chosen, names, entry=self.cohort.entry, strata=strata, firth=firth)

    def parametric(self, fitted: Callable[..., Estimate]) -> Estimate:
        """A parametric model of all terms, the intervals of its events used as they are."""
        cohort = self.cohort
        times = cohort.time, cohort.event
        return fitted(*times, self.covariates, self.terms, entry=cohort.entry, upper=cohort.upper)

    def components(self) -> dict[str, list[str]]:
        """Terms by what they code, the levels of a covariate together; without interactions."""
        found: dict[str, list[str]] = {}
        for term in self.terms:
            found.setdefault(term.partition("[")[0], []).append(term)
        return {name: terms for name, terms in found.items() if ":" not in name}

    def arms(self, treatment: str | None) -> dict[str, np.ndarray]:
        """Rows `(row,)` of each arm, by what patients had in their first row."""
        if treatment is None:
            return {EVERYONE: np.ones(len(self.time), dtype=bool)}
        values = self.cohort.covariates[treatment]
        begin = pd.Series(self.cohort.entry).groupby(self.cohort.patient).transform("idxmin")
        first = values.iloc[begin].reset_index(drop=True)
        levels = values.cat.categories if is_category(values) else np.sort(values.unique())
        names = [f"{treatment} = {level}" for level in as_text(levels)]
        held = {
            name: (first == level).to_numpy() for name, level in zip(names, levels, strict=True)
        }
        return {name: rows for name, rows in held.items() if rows.any()}

    def kaplan_meier(self, rows: np.ndarray, ci_prob: float) -> KaplanMeier:
        """Kaplan-Meier estimate of some rows."""
        cohort = self.cohort
        return kaplan_meier(
            self.time[rows],
            cohort.event[rows],
            cohort.entry[rows],
            patient=cohort.patient[rows],
            ci_prob=ci_prob,
        )


def event_causes(cohort: Cohort, column: str) -> np.ndarray:
    """What each row's event was, (row,); empty where it has none.

    Raises
    ------
    InputError
        There is no such column, or events and causes do not go together.
    """
    check = Checklist(cohort.source, cohort.rows)
    if column not in cohort.covariates:
        check.add(absent(column, cohort.covariates, "named for cause"), column=column)
        check.finish()
    cause = np.array([text or "" for text in as_text(cohort.covariates[column])])
    cause[cause == "0"] = ""
    message = "patient {patient} has an event without a cause; name one, such as unknown"
    check.refuse(cohort.event & (cause == ""), column, message, patient=cohort.patient)
    message = "patient {patient} has the cause {value} but no event; leave it empty"
    check.refuse(
        ~cohort.event & (cause != ""), column, message, patient=cohort.patient, value=cause
    )
    check.finish()
    return cause
