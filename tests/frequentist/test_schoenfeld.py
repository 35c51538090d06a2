from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.schoenfeld import scaled_residuals, schoenfeld

REFERENCE = Path(__file__).parents[1] / "reference"
FOUND_IN_R = pd.read_csv(REFERENCE / "cox.csv").set_index(["case", "quantity"])
CASES = {
    "veteran": (["trt", "karno10", "age10", "prior", "diagtime10"], {}),
    "veteran_breslow": (["trt", "karno10", "age10", "prior", "diagtime10"], {"ties": "breslow"}),
    "lung_strata": (["age10", "female"], {"strata": "inst"}),
    "ovarian": (["age10", "rx2", "residual"], {}),
    "kidney": (["age10", "female"], {}),
    "channing": (["male"], {"entry": "entry"}),
    "heart": (["age10", "year", "surgery", "transplant"], {"entry": "entry"}),
    "heart_strata": (["age10", "year", "transplant"], {"entry": "entry", "strata": "surgery"}),
}


def fit_case(case, **more):
    terms, options = CASES[case]
    table = pd.read_csv(REFERENCE / "data" / f"{case.partition('_')[0]}.csv")
    columns = {key: table.get(value, value) for key, value in options.items()}
    return cox(table["time"], table["event"], table[terms], terms, **columns, **more)


@pytest.mark.parametrize("transform", ["km", "rank", "identity", "log"])
@pytest.mark.parametrize("case", CASES)
def test_cox_zph(case, transform):
    table = schoenfeld(fit_case(case), transform)
    expected = FOUND_IN_R.sort_index().loc[(case, f"zph_{transform}")].set_index("term")["value"]
    assert_allclose(table["statistic"], expected[table["term"]], rtol=1e-6)


def test_degrees_of_freedom():
    table = schoenfeld(fit_case("ovarian"))
    assert list(table["degrees_of_freedom"]) == [1, 1, 1, 3]
    assert table["term"].iloc[-1] == "all terms"
    assert table["p"].between(0, 1).all()


def test_residuals_average_to_the_coefficient():
    fit = fit_case("veteran")
    residuals = scaled_residuals(fit)
    assert list(residuals.columns) == ["time", *fit.terms]
    assert residuals["time"].is_monotonic_increasing
    assert_allclose(residuals[list(fit.terms)].mean(), fit.coefficient, atol=1e-10)


def test_a_hazard_ratio_that_changes_is_found():
    random = np.random.default_rng(2)
    arm = np.arange(600) % 2
    # In arm 1 the hazard is 3 before time 0.3 and 0.2 after, in the other 1 throughout.
    spent = random.exponential(size=600)
    time = np.where(arm == 0, spent, np.where(spent < 0.9, spent / 3, 0.3 + (spent - 0.9) / 0.2))
    fit = cox(np.minimum(time, 3), time < 3, arm[:, None], ["arm"])
    assert schoenfeld(fit)["p"].iloc[0] < 1e-6
    residuals = scaled_residuals(fit)
    early = residuals["time"] < 0.3
    assert residuals["arm"][early].mean() > 0 > residuals["arm"][~early].mean()


def test_not_where_the_score_is_not_0():
    with pytest.raises(ValueError, match="finite"):
        schoenfeld(fit_case("ovarian", firth=True))
    with pytest.raises(ValueError, match="no transform"):
        schoenfeld(fit_case("ovarian"), "square")
