"""The cohorts that come with the package have what the founding paper prints."""

import numpy as np
import pytest

from bayesurv.data.published.ensemble import MEMBERS, SEED, shipped_ensemble
from bayesurv.data.reconstruct.draw import Reconstruction
from bayesurv.data.reconstruct.problem import groups
from bayesurv.data.reconstruct.summary import read_summary
from bayesurv.estimands.partial_posterior import partial_posterior
from bayesurv.estimands.selection import pooled_selection, selection_curve
from bayesurv.frequentist.partial_likelihood import two_arms
from bayesurv.frequentist.recomputed import recomputed
from bayesurv.models.distributions import Normal

EARLY = 3.0


@pytest.fixture(scope="module")
def summary():
    return read_summary("cti2")


@pytest.fixture(scope="module")
def members():
    return [rows.reset_index(drop=True) for _, rows in shipped_ensemble().groupby("member")]


@pytest.fixture(scope="module")
def found(summary, members):
    """Printed numbers by name and quantity, each with those of all members."""
    by_name = {}
    for rows in members:
        for each in recomputed(summary, rows):
            by_name.setdefault((each.target, each.quantity), []).append(each)
    return by_name


def times(rows, endpoint="os"):
    columns = rows[f"{endpoint}_months"], rows[f"{endpoint}_event"], rows["cti2"]
    return [column.to_numpy(dtype=float) for column in columns]


def test_there_are_as_many_as_are_said(members):
    assert len(members) == MEMBERS == 200
    assert all(len(rows) == 61 and rows["synthetic"].all() for rows in members)
    assert all(set(rows["patient"]) == set(range(1, 62)) for rows in members)


def test_every_count_holds_exactly(summary, members):
    for rows in members:
        assert rows["cti2"].sum() == 27
        for variable in summary.variable:
            for levels, counts in groups(variable, summary.patients):
                held = rows[variable.name].isin([variable.levels[level] for level in levels])
                assert (held[rows["cti2"] == 1].sum(), held[rows["cti2"] == 0].sum()) == counts


def test_every_range_and_median_holds_exactly(summary, members):
    numbers = {v.name: v for v in summary.variable if v.number} | {"os_months": summary.follow_up}
    for rows in members:
        for name, stated in numbers.items():
            for arm, treated in enumerate((1, 0)):
                values = rows.loc[rows["cti2"] == treated, name]
                assert values.min() == stated.lower[arm]
                assert values.max() == stated.upper[arm]
                assert values.median() == pytest.approx(stated.median[arm])


def test_deaths_and_nesting(members):
    for rows in members:
        assert rows.groupby("cti2")["os_event"].sum().to_dict() == {0: 19, 1: 22}
        assert (rows["efs_months"] <= rows["pfs_months"]).all()
        assert (rows["pfs_months"] <= rows["os_months"]).all()
        assert (rows["efs_event"] >= rows["pfs_event"]).all()
        assert (rows["pfs_event"] >= rows["os_event"]).all()


def test_what_no_patient_can_be(members):
    for rows in members:
        infected = rows["infection_grade3"] == 1
        assert infected[rows["death_cause"] == "infection"].all()
        assert ((rows["death_cause"] == "") == (rows["os_event"] == 0)).all()
        assert ((rows["infection_type"] == "none") == ~infected).all()
        relapsed = rows["failure"] == "relapsed"
        assert (relapsed == (rows["cti1_response"] != "NR")).all()
        assert (rows.loc[rows["day30_response"] == 1, "best_response"] != "none").all()
        treated = rows[rows["salvage_type"] == "PV+BR"]
        assert sorted(treated["best_response"]) == ["CR", "CR", "PR"]
        assert (treated["failure"] == "relapsed").sum() == 2


def test_hard_targets_hold_in_every_member(summary, found):
    hard = [target.name for target in summary.target if target.status == "hard"]
    assert len(hard) == 4
    for name in hard:
        for (target, _), rows in found.items():
            assert target != name or all(each.residual == 0 for each in rows), name


NEAR = {"P": 0.003, "hazard ratio": 0.15, "lower limit": 0.02, "upper limit": 0.2}
SETTLED = 0.6  # share of members in which a P rounds to the printed one


def test_soft_targets_hold_or_are_near(summary, found):
    """All others round to the print in most members, and in the rest are near it."""
    soft = {target.name for target in summary.target if target.status == "soft"}
    for (name, quantity), rows in found.items():
        if name in soft:
            assert max(each.residual for each in rows) <= NEAR[quantity], (name, quantity)
            assert min(each.residual for each in rows) == 0, (name, quantity)
            if quantity == "P":
                met = np.mean([each.residual == 0 for each in rows])
                assert met >= SETTLED, (name, met)


def test_what_is_called_unmet_is_met_by_none(summary, found):
    unmet = {target.name for target in summary.target if target.status == "unmet"}
    for (name, _), rows in found.items():
        if name in unmet:
            assert min(each.residual for each in rows) > 0


def test_the_unadjusted_hazard_ratio_is_pinned_down(members):
    estimates = np.array([two_arms(*times(rows)).estimate() for rows in members])
    assert np.exp(estimates[:, 0]).min() > 1.75
    assert np.exp(estimates[:, 0]).max() < 1.90
    assert estimates[:, 1].min() > 0.31
    assert estimates[:, 1].max() < 0.33


@pytest.mark.parametrize(
    ("sd", "ratio", "lower", "upper", "above"),
    [
        (0.35, 1.41, 0.89, 2.23, 0.929),
        (0.5, 1.56, 0.93, 2.63, 0.953),
        (0.75, 1.70, 0.96, 3.00, 0.966),
        (1.0, 1.76, 0.98, 3.18, 0.970),
        (2.5, 1.85, 1.00, 3.41, 0.975),
    ],
)
def test_posteriors_of_the_hazard_ratio(members, sd, ratio, lower, upper, above):
    """Those of the normal approximation to the log-rank test, z 1.977 and error 0.315."""
    for rows in members[::20]:
        posterior = partial_posterior(two_arms(*times(rows)), Normal(0, sd))
        assert np.exp(posterior.quantile(0.5)) == pytest.approx(ratio, abs=0.1)
        assert np.exp(posterior.quantile(0.025)) == pytest.approx(lower, abs=0.1)
        assert np.exp(posterior.quantile(0.975)) == pytest.approx(upper, abs=0.15)
        assert 1 - posterior.probability_below(1.0) == pytest.approx(above, abs=0.01)


def test_a_landmark_at_three_months_and_early_deaths_put_back(members):
    ratios = []
    for rows in members:
        time, event, treated = times(rows)
        later = time > EARLY
        ratios.append(np.exp(two_arms(time[later], event[later], treated[later]).estimate()[0]))
    assert 1.5 < np.mean(ratios) < 1.7
    curves = [selection_curve(*times(rows), most=4, replicates=10) for rows in members[::10]]
    table = pooled_selection(curves).set_index("added")
    assert table.loc[0, "hazard_ratio"] == pytest.approx(1.84, abs=0.1)
    assert table.loc[4, "hazard_ratio"] == pytest.approx(1.51, abs=0.1)


def test_members_are_many_solutions(members):
    curves = np.array([np.sort(rows["os_months"].to_numpy()) for rows in members])
    assert len(np.unique(curves, axis=0)) == len(members)
    for endpoint, treated in (("pfs", 1), ("pfs", 0), ("efs", 0)):
        events = {int(rows.loc[rows["cti2"] == treated, f"{endpoint}_event"].sum())
                  for rows in members}  # fmt: skip
        assert len(events) >= 4
    sizes = {tuple(sorted(rows["salvage_type"].value_counts())) for rows in members}
    assert len(sizes) > 50


def test_a_member_can_be_drawn_again(summary, members):
    """To the digits that this machine's arithmetic shares with the one that drew it."""
    drawn = Reconstruction(summary).member(0, SEED)
    again, first = drawn.patients, members[0].drop(columns="member")
    assert list(again.columns) == list(first.columns)
    missed = {each.target for each in recomputed(summary, again) if each.residual > 0.2}
    assert missed <= {target.name for target in summary.target if target.status == "unmet"}
