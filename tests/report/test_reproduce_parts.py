"""Parts of the reproduction by themselves: input and its faults, tables, pooling, responses."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from bayesurv.data.faults import InputError
from bayesurv.data.published import wang_2025
from bayesurv.data.published.ensemble import REBUILT_BY, shipped_ensemble
from bayesurv.estimands.partial_posterior import PartialPosterior
from bayesurv.report.published import recomputed
from bayesurv.report.reproduce_external import log_ratios, prior_table
from bayesurv.report.reproduce_input import read_members
from bayesurv.report.reproduce_pooling import middle_and_limits, mixture, rubin
from bayesurv.report.reproduce_responses import response_table
from bayesurv.report.reproduce_tables import adverse_event_rows, baseline_rows, flow_table
from bayesurv.report.reproduce_time_zero import time_zero_members


@pytest.fixture(scope="module")
def table():
    """The first four members."""
    return shipped_ensemble().query("member < 4").reset_index(drop=True)


@pytest.fixture(scope="module")
def members():
    return read_members(None, 4)


@pytest.fixture
def refused(tmp_path, table):
    """The error of a changed ensemble."""

    def error(change, members=None):
        changed = table.copy()
        changed = change(changed) if callable(change) else change
        changed.to_parquet(tmp_path / "mine.parquet")
        with pytest.raises(InputError) as caught:
            read_members(tmp_path / "mine.parquet", members)
        return str(caught.value)

    return error


# --- Input ---


def test_the_shipped_ensemble_is_read(members):
    assert members.count == 4
    assert members.rebuilt_by == REBUILT_BY
    assert [each.n_members for each in members.ensembles.values()] == [4, 4, 4]
    assert list(members.ensembles) == ["os", "pfs", "efs"]


def test_an_ensemble_of_ones_own_is_read_alike(tmp_path, table, members):
    for name in ("mine.parquet", "mine.csv"):
        if name.endswith("csv"):
            table.to_csv(tmp_path / name, index=False)
        else:
            table.to_parquet(tmp_path / name)
        found = read_members(tmp_path / name, None)
        assert found.rebuilt_by is None
        for endpoint, ensemble in found.ensembles.items():
            np.testing.assert_array_equal(
                ensemble.cohort.time, members.ensembles[endpoint].cohort.time
            )
        assert (found.patients["stage"] == members.patients["stage"]).all()


def test_other_columns_are_refused(refused):
    said = refused(lambda t: t.drop(columns=["stage", "os_months"]).rename(columns={"bulky": "b"}))
    assert "3 faults" in said
    assert "column stage: no such column, which an ensemble of the paper has" in said


def test_other_levels_are_refused_with_their_rows(refused):
    def change(table):
        table.loc[6, "cti1_response"] = "SD"
        table.loc[7, "stage"] = 5
        return table

    said = refused(change)
    assert 'row 7, column cti1_response: "SD" is not one of CR, PR, NR' in said
    assert "row 8, column stage: 5 is not one of 1, 2, 3, 4" in said


def test_other_arms_are_refused(refused):
    said = refused(
        lambda t: t.assign(cti2=t["cti2"].where(t.index != t.index[t["cti2"] == 1][0], 0))
    )
    assert "not 27 patients of CTI2 and 34 of non-CTI2 in members 0" in said


def test_endpoints_out_of_order_are_refused(refused):
    def change(table):
        table.loc[3, "efs_months"] = table.loc[3, "pfs_months"] + 1
        return table

    assert "row 4, column efs_months: it is later than pfs_months in 1 rows" in refused(change)


def test_real_patients_are_refused(refused):
    assert "synthetic" in refused(lambda t: t.assign(synthetic=False))


def test_one_member_is_refused(refused):
    assert "it has one member" in refused(lambda t: t[t["member"] == 0])


@pytest.mark.parametrize("count", [-1, 0, 1, 5, 1000])
def test_too_few_or_too_many_members_are_refused(refused, count):
    said = refused(lambda t: t, count)
    assert said == f"--members: {count} is not from 2 to 4, the members of mine.parquet"


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "mine.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError):
        read_members(tmp_path / "mine.parquet", None)
    with pytest.raises(InputError, match="no file"):
        read_members(tmp_path / "none.parquet", None)


# --- Tables ---


@pytest.fixture(scope="module")
def tests():
    return recomputed(wang_2025())


def test_flow():
    flow = flow_table(wang_2025()).set_index(["step", "arm"])["patients"]
    assert flow["palliative care, excluded", "all"] == 25
    assert flow["relapsed after CTI1"].to_dict() == {"all": 34, "CTI2": 14, "non-CTI2": 20}
    assert flow["salvage therapy", "CTI2"] + flow["salvage therapy", "non-CTI2"] == 61


def test_table_1_has_every_p_and_what_gives_it(members, tests):
    found = baseline_rows(wang_2025(), tests, members.cohorts)
    rows = found[found["printed_p"].notna()].set_index("item")
    assert len(rows) == 15
    assert rows.loc["sex", "pearson"] == pytest.approx(0.6243, abs=5e-5)
    assert "Pearson" in rows.loc["sex", "reproduced_by"]
    assert "Fisher" in rows.loc["double hit", "reproduced_by"]
    assert (rows["reproduced_by"] != "").all()
    first, second = 12 / 27, 8 / 34
    smd = (first - second) / np.sqrt((first * (1 - first) + second * (1 - second)) / 2)
    assert rows.loc["TP53 disruption", "smd"] == pytest.approx(smd)


def test_numbers_of_table_1_have_the_members_p(members, tests):
    rows = baseline_rows(wang_2025(), tests, members.cohorts).set_index("item")
    for item, printed in {"age": 0.154, "lines of therapy before CTI1": 0.284}.items():
        assert rows.loc[item, "members_p_low"] >= printed - 0.002
        assert rows.loc[item, "members_p_high"] <= printed + 0.002
    assert rows.loc["age", "CTI2"] == "42 (25-65)"


def test_table_2(tests):
    rows = adverse_event_rows(wang_2025(), tests).drop_duplicates("item").set_index("item")
    assert rows.loc["infection, grade >= 3", "CTI2"] == "18/27 (67%)"
    assert rows.loc["infection, grade >= 3", "fisher"] == pytest.approx(0.0209, abs=5e-5)
    assert "exact Pearson" in rows.loc["cytokine release syndrome", "reproduced_by"]
    assert rows.loc["death with infection, of patients", "non-CTI2"] == "4/34 (12%)"


def test_responses(members):
    found = response_table(members, wang_2025(), 1, lambda share: None).set_index("outcome")
    day30 = found.loc["response at day 30"]
    assert (day30["CTI2 events"], day30["non-CTI2 events"]) == (8, 2)
    assert day30["risk_difference"] == pytest.approx(8 / 27 - 2 / 34)
    assert round(day30["linear-by-linear"], 3) == 0.014
    assert day30["prob_worse"] < 0.1
    assert 1 < day30["posterior_odds_ratio"] < 8
    deaths = found.loc[found["kind"] == "death with infection", "fisher"]
    np.testing.assert_allclose(deaths, [0.0033, 0.0252, 0.0610], atol=5e-5)
    assert "mortality" in found.loc["death with infection, of deaths", "remark"]
    copies = found[found["kind"] == "CAR copies"]
    assert copies["printed_p"].tolist() == ["0.012"]
    assert copies["fisher"].isna().all()
    severe = found.loc["infection, grade >= 3"]
    assert severe["posterior_odds_ratio"] < severe["odds_ratio"]  # drawn to the other events


# --- Pooling ---


@given(arrays(float, 6, elements=st.floats(-2, 2)), arrays(float, 6, elements=st.floats(0.05, 1)))
def test_rubins_variance_is_within_and_between(log_ratio, error):
    found = rubin(log_ratio, error)
    total = (np.log(found["upper"] / found["hazard_ratio"]) / norm.ppf(0.975)) ** 2
    assert total == pytest.approx(found["within_sd"] ** 2 + found["between_sd"] ** 2)
    assert found["share_between"] == pytest.approx(found["between_sd"] ** 2 / total)
    assert found["within_sd"] ** 2 == pytest.approx((error**2).mean())


def test_one_member_has_nothing_between():
    found = rubin(np.array([0.5]), np.array([0.3]))
    assert found["between_sd"] == 0
    assert found["upper"] == pytest.approx(np.exp(0.5 + norm.ppf(0.975) * 0.3))


def test_a_mixture_of_normals_is_the_mixture():
    parts = [(0.2, 0.3), (0.9, 0.4)]
    own = []
    for mean, sd in parts:
        grid = np.linspace(mean - 8 * sd, mean + 8 * sd, 161)
        own.append(PartialPosterior(grid, norm.pdf(grid, mean, sd)))
    pooled = mixture(own)
    below = np.mean([norm.cdf(0.5, mean, sd) for mean, sd in parts])
    assert float(pooled.probability_below(np.exp(0.5))) == pytest.approx(below, abs=2e-4)
    middle, lower, upper = middle_and_limits(pooled)
    for q, at in ((0.5, middle), (0.025, lower), (0.975, upper)):
        cdf = np.mean([norm.cdf(np.log(at), mean, sd) for mean, sd in parts])
        assert cdf == pytest.approx(q, abs=2e-4)


# --- Anchors: normal likelihood times normal prior, in closed form ---


@pytest.mark.parametrize(
    ("model", "estimate", "error"),
    [("unadjusted", 1.977 * 0.315, 0.315), ("adjusted", np.log(1.665), 0.324)],
)
def test_priors_of_several_widths(members, model, estimate, error):
    table = prior_table(members, log_ratios(members))
    rows = table[table["model"] == model]
    assert len(rows) == 5
    for row in rows.itertuples():
        precision = error**-2 + row.prior_sd**-2
        mean, sd = estimate * error**-2 / precision, precision**-0.5
        assert row.hazard_ratio == pytest.approx(np.exp(mean), abs=0.1)
        assert row.prob_harm == pytest.approx(norm.sf(0, mean, sd), abs=0.02)
        assert row.lower < row.hazard_ratio < row.upper


def test_same_seed_same_numbers(members):
    two = replace(members, patients=members.patients.query("member < 2"))
    first, again, other = (time_zero_members(two, seed) for seed in (1, 1, 2))
    for name, table in first.items():
        pd.testing.assert_frame_equal(table, again[name])
    assert (first["selection"]["hazard_ratio"] != other["selection"]["hazard_ratio"])[1:].all()
    pd.testing.assert_frame_equal(first["time_zero"], other["time_zero"])
