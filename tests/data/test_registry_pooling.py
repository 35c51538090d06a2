"""Pooled counts are those of all patients together; what must not be added up is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.cohort import Cohort
from bayesurv.data.counts import Counts
from bayesurv.data.design import Design
from bayesurv.data.faults import InputError
from bayesurv.data.registry.aggregate import count, table_of
from bayesurv.data.registry.engine import opened
from bayesurv.data.registry.pooling import pool
from bayesurv.models.baselines import PiecewiseExponential
from bayesurv.models.likelihood import Observed, linear_predictor, log_likelihood

CUTS = (3.0, 8.0, 15.0)
CENTRES = ("Bari", "Milan", "Rome", "Turin")


def sections(formula="cti2 + stage + (cti2 | centre)", **model):
    return {
        "cohort": {"file": "here", "unit": "months", "reference": {"stage": "II"}},
        "endpoint": {
            name: {"time": f"{name}_months", "event": f"{name}_event"} for name in ("os", "pfs")
        },
        "model": {"formula": formula, "cuts": CUTS} | model,
    }


@pytest.fixture
def hospital(tmp_path, frame):
    """Counts of a centre's patients, made without the others and without a centre column."""

    def aggregated(centre, name=None, plan=None, change=None):
        own = frame[frame["centre"] == centre].drop(columns="centre")
        path = tmp_path / f"{centre}.csv"
        (own if change is None else change(own)).to_csv(path, index=False)
        with opened(str(path)) as engine:
            counted = count(engine, plan or sections(), centre=name or centre)
        return table_of(counted, counted.tallies, ())

    return aggregated


def test_the_likelihood_of_pooled_hospitals_is_that_of_the_pooled_patients(frame, hospital):
    pooled = pool({centre: hospital(centre) for centre in CENTRES})
    random = np.random.default_rng(5)
    baseline = PiecewiseExponential(cuts=CUTS)
    for endpoint in ("os", "pfs"):
        roles = {"time": f"{endpoint}_months", "event": f"{endpoint}_event"}
        cohort = Cohort.from_frame(frame, **roles, unit="months", reference={"stage": "II"})
        counts = Counts.from_table(pooled, "pooled", endpoint)
        formula = "cti2 + stage + (cti2 | centre)"
        rows, patterns = (
            Design.from_cohort(formula, cohort),
            Design.from_frame(formula, counts.covariates),
        )
        assert (rows.terms, rows.groups) == (patterns.terms, patterns.groups)
        assert counts.n_patients == 61
        for _ in range(5):
            parameters = {
                "log_hazard": random.normal(-2.5, 1, 4),
                "coefficient": random.normal(0, 1, len(rows.terms)),
                "group_effect": random.normal(0, 1, len(rows.groups)),
            }
            observed = Observed.from_cohort(cohort, baseline)
            predictor = linear_predictor(rows, rows.rows, parameters, np)
            expected = log_likelihood(baseline, observed, parameters, predictor, np).sum()
            of_pattern = linear_predictor(patterns, patterns.rows, parameters, np)
            log_hazard = parameters["log_hazard"] + of_pattern[:, None]
            found = counts.events * log_hazard - counts.person_time * np.exp(log_hazard)
            assert found.sum() == pytest.approx(expected, rel=1e-12)


def test_pooling_does_not_depend_on_the_order_or_on_steps(hospital):
    tables = {centre: hospital(centre) for centre in CENTRES}
    at_once = pool(tables)
    backwards = pool(dict(reversed(tables.items())))
    two = {name: pool({c: tables[c] for c in pair}) for name, pair in PAIRS.items()}
    for other in (backwards, pool(two)):
        pd.testing.assert_frame_equal(other.cells, at_once.cells, rtol=1e-14)
        assert other.origins == at_once.origins
        assert other.patients == at_once.patients


PAIRS = {"north": ("Milan", "Turin"), "south": ("Bari", "Rome")}


def test_patterns_are_added_where_the_centre_is_no_covariate(frame, tmp_path):
    tables = {}
    for centre in CENTRES:
        path = tmp_path / f"{centre}.parquet"
        frame[frame["centre"] == centre].to_parquet(path)
        with opened(str(path)) as engine:
            counted = count(engine, sections("cti2"))
        tables[centre] = table_of(counted, counted.tallies, ())
    pooled = Counts.from_table(pool(tables), "pooled", "os")
    cohort = Cohort.from_frame(frame, time="os_months", event="os_event", unit="months")
    expected = Counts.from_cohort(cohort, CUTS, ["cti2"])
    assert (pooled.events == expected.events).all()
    assert pooled.person_time == pytest.approx(expected.person_time, rel=1e-13)


def test_files_that_overlap_are_refused_by_name(hospital):
    bari, rome = hospital("Bari"), hospital("Rome")
    with pytest.raises(InputError, match=r"b.parquet: the same patients \(Bari\) are in a.parq"):
        pool({"a.parquet": bari, "b.parquet": hospital("Bari")})
    under_another_name = hospital("Bari", name="Naples")
    with pytest.raises(InputError, match=r"b.parquet: the same patients \(Naples\) are in a.pa"):
        pool({"a.parquet": bari, "b.parquet": under_another_name})
    with pytest.raises(InputError, match="b.parquet: centre Bari is in a.parquet already"):
        pool({"a.parquet": bari, "b.parquet": hospital("Milan", name="Bari")})
    with pytest.raises(InputError, match=r"c.parquet: the same patients \(Rome\) are in both.pa"):
        pool({"both.parquet": pool({"a": bari, "b": rome}), "c.parquet": rome})
    with pytest.raises(InputError, match="name two or more files"):
        pool({"a.parquet": bari})


def test_plans_that_differ_are_refused_by_what_differs(hospital):
    other = sections("cti2 + (1 | centre)", cuts=(3.0, 9.0))
    other["cohort"] |= {"unit": "weeks", "reference": {}}
    with pytest.raises(InputError) as caught:
        pool({"a.parquet": hospital("Bari"), "b.parquet": hospital("Rome", plan=other)})
    told = [str(fault) for fault in caught.value.faults]
    begins = "b.parquet: differs from a.parquet in "
    assert all(line.startswith(begins) and line.endswith("everywhere") for line in told)
    assert [line.removeprefix(begins).partition(":")[0] for line in told] == [
        "the unit of time",
        "the covariates",
        "the reference levels",
        "the cuts",
    ]


def test_another_form_of_the_formula_is_the_same_plan(hospital):
    other = sections("stage * cti2 + (1 | centre)")
    assert pool({"a": hospital("Bari"), "b": hospital("Rome", plan=other)}).patients["os"] > 0


def test_numbers_here_and_text_there_are_refused(hospital):
    coded = hospital(
        "Rome", change=lambda own: own.assign(cti2=own["cti2"].map({0: "no", 1: "yes"}))
    )
    with pytest.raises(InputError, match="b, column cti2: holds text, and in a numbers"):
        pool({"a": hospital("Bari"), "b": coded})


def test_notes_say_of_which_centre_they_are(hospital):
    bari = replace(hospital("Bari"), notes=("3 left out",))
    assert pool({"a": bari, "b": hospital("Rome")}).notes == ("Bari: 3 left out",)
