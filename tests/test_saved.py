"""A fit comes back from its file as it was, or not at all."""

import json
import os

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayesurv.data.cohort import Cohort
from bayesurv.data.faults import InputError
from bayesurv.estimands.curves import survival
from bayesurv.estimands.functionals import rmst, survival_quantile
from bayesurv.estimands.summary import hazard_ratios
from bayesurv.fitting import prior
from bayesurv.models.baselines import (
    BASELINES,
    Exponential,
    Gompertz,
    MSpline,
    PiecewiseExponential,
    Weibull,
)
from bayesurv.models.priors import (
    FAMILIES,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HazardRatio,
    LogNormal,
    MedianSurvival,
    Normal,
    Priors,
    Robust,
    RobustHazardRatio,
    StudentT,
)
from bayesurv.saved import describe, load, restore, save

STAGES = ["I", "II", "III", "IV"]
KINDS = [
    Exponential(),
    Weibull(),
    Gompertz(),
    PiecewiseExponential(cuts=(2, 5)),
    PiecewiseExponential(smoothing="independent"),
    MSpline(),
]


@pytest.fixture
def cohort(make_cohort):
    columns = {"time": "os_months", "event": "os_event", "id": "pid"}
    return Cohort.from_frame(make_cohort(), unit="months", ordinal={"stage": STAGES}, **columns)


def there_and_back(drawn):
    """A fit from its description and its draws alone, as they stand in a file."""
    training = drawn.design.training
    covariates = {
        f"covariate_{name}": ("row", values.to_numpy() if values.dtype.kind in "if" else [*values])
        for name, values in training.items()
    }
    rows = {"individual": ("row", np.arange(len(training)))}
    drawn.draws["constant_data"] = xr.DataTree(xr.Dataset(rows | covariates))
    return restore(drawn.draws, json.loads(json.dumps(describe(drawn))))


def refused(path):
    with pytest.raises(InputError) as caught:
        load(path)
    [fault] = caught.value.faults
    return str(fault)


# --- The whole way, through a file ---


@pytest.mark.parametrize("name", ["weibull_fit", "piecewise_fit", "grouped_fit"])
def test_same_answers(request, tmp_path, name):
    fit = request.getfixturevalue(name)
    save(fit, tmp_path / "posterior.nc")
    back = load(tmp_path)
    profiles = [{"cti2": 0}, {"cti2": 1}]
    if name == "grouped_fit":
        profiles = [{"cti2": 0, "centre": "Bari"}, {"cti2": 1, "centre": "Turin"}, {"cti2": 1}]
    for estimand in (
        lambda f: survival(f, profiles, [0, 1, 6, f.end_of_follow_up]),
        lambda f: rmst(f, profiles, 12),
        lambda f: survival_quantile(f, profiles, 0.25),
    ):
        xr.testing.assert_identical(estimand(back), estimand(fit))
    pd.testing.assert_frame_equal(hazard_ratios(back), hazard_ratios(fit))
    pd.testing.assert_frame_equal(back.diagnostics, fit.diagnostics)
    for plain in ("baseline", "unit", "n_patients", "n_events", "notes", "settings", "failed"):
        assert getattr(back, plain) == getattr(fit, plain)
    assert back.specification.priors == fit.specification.priors
    assert back.specification.median == fit.specification.median


def test_a_loaded_fit_is_saved_again(weibull_fit, tmp_path):
    save(weibull_fit, tmp_path / "a.nc")
    save(load(tmp_path / "a.nc"), tmp_path / "b.nc")
    for group in ("posterior", "sample_stats", "log_likelihood", "log_prior"):
        first, second = (load(tmp_path / name).draws[group] for name in ("a.nc", "b.nc"))
        assert first.to_dataset().identical(second.to_dataset())


def test_provenance_is_in_the_attributes(weibull_fit, tmp_path):
    save(weibull_fit, tmp_path / "a.nc", endpoint="os", data={"sha256": "abc"})
    stored = json.loads(load(tmp_path / "a.nc").draws.attrs["bayesurv"])
    assert stored["provenance"] == {"endpoint": "os", "data": {"sha256": "abc"}}


def test_no_patient_is_named(grouped_fit, tmp_path, make_cohort):
    save(grouped_fit, tmp_path / "a.nc")
    content = (tmp_path / "a.nc").read_bytes()
    assert b"Milan" in content  # a level that the formula uses is readable there
    assert [who for who in make_cohort()["pid"] if who.encode() in content] == []
    stored = load(tmp_path / "a.nc").draws
    names = [str(name) for group in stored.subtree for name in (*group.variables, *group.attrs)]
    assert not any("pid" in name for name in names)
    assert "pid" not in stored.attrs["bayesurv"]


def test_saving_is_whole_or_not_at_all(weibull_fit, tmp_path, monkeypatch):
    save(weibull_fit, tmp_path / "a.nc")
    before = (tmp_path / "a.nc").read_bytes()

    def stopped(self, path, **options):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(xr.DataTree, "to_netcdf", stopped)
    with pytest.raises(KeyboardInterrupt):
        save(weibull_fit, tmp_path / "a.nc")
    assert os.listdir(tmp_path) == ["a.nc"]
    assert (tmp_path / "a.nc").read_bytes() == before


# --- Baselines, priors and codings without a fit ---


def test_the_kinds_are_all_here():
    assert {kind.name for kind in KINDS} == set(BASELINES)


@pytest.mark.parametrize("baseline", KINDS, ids=str)
def test_every_baseline(cohort, baseline):
    drawn = prior(cohort, "cti2 + stage + scale(age)", baseline=baseline, draws=50)
    back = there_and_back(drawn)
    assert back.baseline == drawn.baseline
    profiles = [{"cti2": 1, "stage": stage, "age": 50.5} for stage in STAGES]
    times = np.linspace(0, cohort.end_of_follow_up, 9)
    xr.testing.assert_identical(survival(back, profiles, times), survival(drawn, profiles, times))


PRIORS = [
    Priors(),
    Priors(intercept=StudentT(4, 0, 2.5), coefficient=HazardRatio(0.5, 2, 0.9)),
    Priors(median_survival=MedianSurvival(6, 24, 0.8), shape=Gamma(2, 2)),
    Priors(coefficient={"cti2": HazardRatio(0.25, 4), "monotone(stage)": StudentT(3, 0, 1)}),
    Priors(group_sd=HalfCauchy(0.5), smoothing_sd=HalfNormal(1), slope=Normal(0, 2)),
    Priors(log_hazard=Normal(-3, 2), shape=LogNormal(0, 0.25)),
    Priors(intercept=Robust(-2, 0.2, 0.5, 2), coefficient=RobustHazardRatio(0.16, 0.51)),
]


def test_the_families_are_all_here():
    described = " ".join(value for priors in PRIORS for value in priors.describe().values())
    assert [name for name in FAMILIES if name not in described] == []


@pytest.mark.parametrize("priors", PRIORS, ids=lambda p: ", ".join(p.describe()))
def test_every_prior(cohort, priors):
    back = there_and_back(prior(cohort, "cti2 + stage", priors=priors, draws=10))
    assert back.specification.priors == priors
    assert back.design.terms == ("cti2", "monotone(stage)")
    assert list(back.design.training["stage"].cat.categories) == STAGES


# --- What cannot be read ---


@pytest.fixture
def file(weibull_fit, tmp_path):
    save(weibull_fit, tmp_path / "posterior.nc")
    return tmp_path / "posterior.nc"


DAMAGED = "damaged, or not a file that bayesurv wrote; run the fit again"


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.999])
def test_truncated_file(file, share):
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    assert refused(file) == f"{file}: {DAMAGED}"


def test_a_changed_number(file, weibull_fit):
    content = file.read_bytes()
    number = weibull_fit.posterior["shape"].to_numpy()[2, 7].tobytes()
    assert content.count(number) == 1
    file.write_bytes(content.replace(number, np.float64(1.5).tobytes()))
    assert refused(file) == f"{file}: {DAMAGED}"


@pytest.mark.parametrize("record", ["[]", "{}", "not JSON", '{"format": 1}'])
def test_a_record_that_is_no_record(file, record):
    xr.Dataset({"x": ("row", [1.0])}, attrs={"bayesurv": record}).to_netcdf(file, engine="h5netcdf")
    assert refused(file) == f"{file}: {DAMAGED}"


def test_a_file_of_something_else(tmp_path, cohort_csv):
    assert refused(cohort_csv) == f"{cohort_csv}: {DAMAGED}"
    xr.Dataset({"x": ("row", [1.0])}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    assert DAMAGED in refused(tmp_path / "other.nc")


def test_another_format(file):
    record = json.dumps({"format": 99, "version": "9.1"})
    xr.Dataset(attrs={"bayesurv": record}).to_netcdf(file, engine="h5netcdf")
    message = "written by bayesurv 9.1 in another format; run the fit again"
    assert refused(file) == f"{file}: {message}"


def test_no_such_file(tmp_path):
    message = "no such file; name a posterior.nc, or the folder that holds it"
    assert refused(tmp_path / "x.nc") == f"{tmp_path / 'x.nc'}: {message}"
    assert refused(tmp_path) == f"{tmp_path / 'posterior.nc'}: {message}"


def test_the_folder_of_a_whole_run(tmp_path):
    for name in ("os/weibull", "efs/weibull"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "posterior.nc").write_bytes(b"")
    assert f"name {tmp_path}/efs/weibull, {tmp_path}/os/weibull" in refused(tmp_path)


def test_a_prior_is_not_saved(cohort, tmp_path):
    with pytest.raises(InputError, match=r"draws of a prior are not saved; call prior\(\) again"):
        save(prior(cohort, "cti2", draws=10), tmp_path / "a.nc")
    assert os.listdir(tmp_path) == []
