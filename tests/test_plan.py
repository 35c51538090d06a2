"""Every key of a plan changes what it should, and every fault is said in a sentence."""

import tomllib

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesurv.data.faults import InputError
from bayesurv.inference.sample import Sampling
from bayesurv.models.baselines import (
    Exponential,
    Gompertz,
    MSpline,
    PiecewiseExponential,
    Weibull,
)
from bayesurv.models.priors import (
    Gamma,
    HalfCauchy,
    HalfNormal,
    HazardRatio,
    LogNormal,
    MedianSurvival,
    Normal,
    Priors,
    StudentT,
)
from bayesurv.plan import Plan, read_plan
from bayesurv.plan_file import toml, toml_section

GOOD = {
    "cohort": {"file": "cohort.csv", "unit": "months"},
    "endpoint": {"os": {"time": "os_months", "event": "died"}},
    "model": {"formula": "cti2 + stage + (1 | centre)"},
}
TABLE = pd.DataFrame(
    {
        "pid": ["a", "b", "c", "d", "e"],
        "start": [0, 1, 0, 2, 0],
        "os_months": [12, 7.5, 3, 20, 9],
        "os_upper": [14, None, None, 22, None],
        "died": [1, 0, 1, 1, 0],
        "efs_months": [5, 6, 2, 9, 4],
        "relapsed": [1, 0, 1, 0, 1],
        "cti2": [1, 0, 1, 0, 0],
        "stage": ["I", "II", "III", "I", "II"],
        "centre": ["x", "y", "x", "y", "x"],
    }
)


def document(**sections):
    """The good plan with keys added to its sections; a key given None is left out."""
    both = {name: GOOD.get(name, {}) | sections.get(name, {}) for name in GOOD | sections}
    return {
        name: {key: value for key, value in keys.items() if value is not None}
        for name, keys in both.items()
    }


def plan(**sections):
    return Plan.from_document(document(**sections), source="plan.toml")


def faults(**sections):
    with pytest.raises(InputError) as caught:
        plan(**sections)
    return [str(fault) for fault in caught.value.faults]


def fault(**sections):
    [only] = faults(**sections)
    return only


def written(folder, text):
    path = folder / "plan.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read_fault(path):
    with pytest.raises(InputError) as caught:
        read_plan(path)
    return str(caught.value)


def cohorts(folder, table=TABLE, **sections):
    table.to_csv(folder / "cohort.csv", index=False)
    return Plan.from_document(document(**sections), source="p", folder=folder).cohorts()


EFS = {"efs": {"time": "efs_months", "event": "relapsed"}}
BOTH = GOOD["endpoint"] | EFS


# --- Reading and writing ---


def test_plan_in_a_file(tmp_path):
    path = written(
        tmp_path,
        """
        [cohort]
        file = "data/cohort.csv"
        unit = "months"
        ordinal = { stage = ["I", "II"] }

        [endpoint.os]
        time = "os_months"
        event = "died"

        [model]
        formula = "cti2"
        baseline = ["weibull", "piecewise-exponential"]
        """,
    )
    read = read_plan(path)
    assert read.cohort.file == str(tmp_path / "data" / "cohort.csv")
    assert read.cohort.ordinal["stage"].levels == ("I", "II")
    assert read.endpoint["os"].time == "os_months"
    assert read.model.formula == "cti2"
    assert read.baselines() == [Weibull(), PiecewiseExponential()]
    assert read == read_plan(str(path))


def test_file_of_the_cohort_is_beside_the_plan_or_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Plan.from_document(GOOD).cohort.file == str(tmp_path / "cohort.csv")
    assert Plan.from_document(GOOD, folder="sub").cohort.file == str(tmp_path / "sub/cohort.csv")
    absolute = document(cohort={"file": "/data/x.csv"})
    assert Plan.from_document(absolute, folder="sub").cohort.file == "/data/x.csv"


def test_byte_order_mark_and_windows_lines(tmp_path):
    text = Plan.from_document(GOOD).to_toml().replace("\n", "\r\n")
    assert read_plan(written(tmp_path, b"\xef\xbb\xbf" + text.encode())) == plan()


FULL = {
    "cohort": {
        "file": 'a "b" c\\d é\x7f.csv',
        "id": "pid",
        "sheet": "Tabelle 1",
        "missing": "drop",
        "reference": {"salvage type": "chemo", "bulky": False},
        "ordinal": {"stage": {"levels": ["I", 2], "coding": "linear"}, "response": ["NR", "CR"]},
    },
    "endpoint": BOTH | {"pfs-2": {"time": "a", "event": "b", "entry": "c", "upper": "d"}},
    "model": {
        "baseline": ["gompertz", "piecewise-exponential", "m-spline", "weibull"],
        "cuts": [1, 2.5],
        "smoothing": "random-walk",
        "knots": [3.0, 1e20],
        "boundary": 1e21,
        "scale": 1e-7,
    },
    "priors": {
        "coefficient": {"cti2": {"lower": 0.5, "upper": 2, "prob": 0.9}, "a b": "Normal(0, 1)"},
        "shape": "LogNormal(0, 1)",
        "median_survival": {"lower": 6, "upper": 24},
    },
    "estimand": {
        "treatment": "cti2",
        "horizon": 12,
        "times": [0, 6, 12],
        "profiles": [{"label": "young", "cti2": True, "stage": "I"}, {"cti2": 0}],
        "rmst_margin": 1,
        "survival_margin": 0.1,
        "causal": "treated and untreated are exchangeable given stage",
    },
    "sampling": {"chains": 3, "draws": 500, "tune": 600, "target_accept": 0.95, "seed": 7},
}


@pytest.mark.parametrize(
    "made",
    [
        plan(),
        plan(**FULL),
        plan(priors={"coefficient": {"lower": 0.5, "upper": 2}}),
        plan(model={"baseline": "piecewise-exponential", "intervals": 3}),
        plan(estimand={"profiles": "observed"}),
    ],
)
def test_written_plan_reads_back_equal(made, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    assert read_plan(written(folder, made.to_toml())) == made


CELLS = st.one_of(st.text(), st.booleans(), st.integers(), st.floats(allow_nan=False))


@given(st.dictionaries(st.text(), CELLS | st.lists(CELLS) | st.dictionaries(st.text(), CELLS)))
def test_any_value_is_written_as_toml(keys):
    assert tomllib.loads(toml_section("a", keys)) == {"a": keys}
    assert tomllib.loads(f"b = {toml(keys)}") == {"b": keys}


def test_written_plan_states_its_defaults():
    keys = tomllib.loads(plan().to_toml())
    assert keys["model"]["baseline"] == ["weibull"]
    assert keys["cohort"]["missing"] == "error"
    assert keys["sampling"] == Sampling().describe()
    assert keys["estimand"] == {"classical": True}
    assert set(keys) == {"cohort", "endpoint", "model", "estimand", "sampling"}


def test_plans_are_frozen():
    made = plan()
    with pytest.raises(ValueError, match="frozen"):
        made.model = None
    with pytest.raises(ValueError, match="frozen"):
        made.sampling.seed = 3


def test_plan_differs_where_a_key_differs():
    assert plan(sampling={"seed": 1}) != plan(sampling={"seed": 2})


# --- Files that cannot be read ---


def test_missing_file(tmp_path):
    written(tmp_path, "")
    path = tmp_path / "plam.toml"
    assert read_fault(path) == f'plam.toml: no file {path}. Did you mean "plan.toml"?'
    assert "no file" in read_fault(tmp_path / "none" / "plan.toml")


def test_folder_in_place_of_a_file(tmp_path):
    assert read_fault(tmp_path).endswith(f"{tmp_path} cannot be read: Is a directory")


def test_malformed_toml(tmp_path):
    path = written(tmp_path, '[cohort]\nfile = "a.csv"\nunit months\n')
    assert read_fault(path).startswith("plan.toml, row 3: not valid TOML: Expected '='")


def test_malformed_path(tmp_path):
    path = written(tmp_path, '[cohort]\nfile = "C:\\data\\x.csv"\n')
    assert read_fault(path).startswith("plan.toml, row 2: not valid TOML: Unescaped")
    assert read_fault(path).endswith("a path with \\ in it goes in single quotes")


def test_wrong_encoding(tmp_path):
    path = written(tmp_path, b'[cohort]\nfile = "caf\xe9.csv"\n')
    said = "plan.toml, row 2: the byte 0xe9 is not UTF-8; save the file as UTF-8"
    assert read_fault(path) == said


def test_empty_file_lists_what_is_missing(tmp_path):
    assert read_fault(written(tmp_path, "")).splitlines()[1:] == [
        "  plan.toml: [cohort] file: missing",
        "  plan.toml: [cohort] unit: missing",
        "  plan.toml: [endpoint]: name one endpoint or more, as in [endpoint.os]",
        "  plan.toml: [model] formula: missing",
    ]


# --- Options of the command line ---


def test_options_become_a_plan(tmp_path):
    made = Plan.from_options(
        "os",
        file=tmp_path / "c.csv",
        unit="months",
        time="os_months",
        event="died",
        entry="start",
        formula="cti2",
        baseline=["gompertz"],
        scale=None,
        cuts=[],
        treatment="cti2",
        seed=0,
        chains=2,
    )
    assert made.cohort.file == str(tmp_path / "c.csv")
    assert made.endpoint["os"].entry == "start"
    assert made.baselines() == [Gompertz()]
    assert made.estimand.treatment == "cti2"
    assert made.sampling_settings() == Sampling(chains=2, seed=0)
    assert read_plan(written(tmp_path, made.to_toml())) == made


def test_faults_name_the_options():
    with pytest.raises(InputError) as caught:
        Plan.from_options(
            "endpoint", file="c", unit="days", event="e", formula="a", baseline="weibul",
            target_accept=2.0, treatment="b", shape="Normal(0, 1)",
        )  # fmt: skip
    assert [str(fault).partition(";")[0] for fault in caught.value.faults] == [
        "--time: missing",
        '--baseline: unknown baseline "weibul"',
        "--target-accept: 2.0 is not below 1",
        "shape is positive, not Normal(0, 1)",
        '--treatment: "b" is not in the formula "a".',
    ]


def test_option_that_is_no_key():
    with pytest.raises(TypeError, match="no such options: \\['sede'\\]"):
        Plan.from_options("os", sede=1)


# --- Baselines ---


@pytest.mark.parametrize(
    ("keys", "made"),
    [
        ({}, [Weibull()]),
        ({"baseline": "exponential"}, [Exponential()]),
        ({"baseline": ["gompertz", "weibull"]}, [Gompertz(), Weibull()]),
        ({"baseline": "gompertz", "scale": 12}, [Gompertz(scale=12.0)]),
        (
            {"baseline": "piecewise-exponential", "cuts": [3, 6.5]},
            [PiecewiseExponential(cuts=(3.0, 6.5))],
        ),
        (
            {"baseline": "piecewise-exponential", "intervals": 4},
            [PiecewiseExponential(intervals=4)],
        ),
        (
            {"baseline": "piecewise-exponential", "smoothing": "independent"},
            [PiecewiseExponential(smoothing="independent")],
        ),
        ({"baseline": "m-spline", "knots": [2, 4]}, [MSpline(inner=(2.0, 4.0))]),
        ({"baseline": "m-spline", "boundary": 30}, [MSpline(boundary=30.0)]),
        (
            {"baseline": ["m-spline", "weibull"], "knots": [2], "boundary": 9},
            [MSpline(inner=(2.0,), boundary=9.0), Weibull()],
        ),
    ],
)
def test_baselines(keys, made):
    assert plan(model=keys).baselines() == made


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"baseline": "weibul"},
            'baseline: unknown baseline "weibul"; use exponential, weibull, gompertz, '
            'piecewise-exponential, m-spline. Did you mean "weibull"?',
        ),
        ({"baseline": ["weibull", "weibull"]}, 'baseline: "weibull" is named twice'),
        ({"baseline": []}, "baseline: must not be empty"),
        ({"baseline": 3}, "baseline: 3 is not a list in brackets"),
        ({"baseline": ["weibull", 3]}, "baseline: 3 is not text in quotes"),
        ({"formula": None}, "formula: missing"),
        ({"formula": " "}, "formula: must not be empty"),
        ({"formula": 1}, "formula: 1 is not text in quotes"),
        (
            {"cuts": [1.0]},
            "cuts: only piecewise-exponential has it, but baseline is weibull; "
            "leave out one of them",
        ),
        (
            {"baseline": ["weibull", "gompertz"], "intervals": 4},
            "intervals: only piecewise-exponential has it, but baseline is weibull, gompertz; "
            "leave out one of them",
        ),
        (
            {"smoothing": "independent"},
            "smoothing: only piecewise-exponential has it, but baseline is weibull; "
            "leave out one of them",
        ),
        (
            {"knots": [1]},
            "knots: only m-spline has it, but baseline is weibull; leave out one of them",
        ),
        (
            {"boundary": 1},
            "boundary: only m-spline has it, but baseline is weibull; leave out one of them",
        ),
        (
            {"scale": 1},
            "scale: only gompertz has it, but baseline is weibull; leave out one of them",
        ),
        (
            {"baseline": "piecewise-exponential", "cuts": [1], "intervals": 2},
            "intervals: contradicts cuts, which say how many; leave out one of them",
        ),
        (
            {"baseline": "m-spline", "knots": [1, 5], "boundary": 5},
            "boundary: must lie beyond the last of the knots, 5",
        ),
        (
            {"baselin": "piecewise-exponential", "cuts": [1]},
            'baselin: unknown key. Did you mean "baseline"? Keys here are formula, baseline, '
            "cuts, intervals, smoothing, knots, boundary, scale",
        ),
        (
            {"seed": 1},
            "seed: unknown key. It belongs in [sampling]. Keys here are formula, baseline, "
            "cuts, intervals, smoothing, knots, boundary, scale",
        ),
    ],
)
def test_faults_of_the_model(keys, said):
    assert fault(model=keys) == f"plan.toml: [model] {said}"


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("cuts", [3, 2], "must increase, but 2 follows 3"),
        ("cuts", [3, 3], "must increase, but 3 follows 3"),
        ("cuts", [0, 3], "0 is not above 0"),
        ("cuts", [1, float("inf")], "inf is not a finite number"),
        ("cuts", [1, "2"], '"2" is not a number'),
        ("cuts", [], "must not be empty"),
        ("cuts", 3, "3 is not a list in brackets"),
        ("intervals", 1, "1 is below 2"),
        ("intervals", 2.5, "2.5 is not a whole number"),
        ("intervals", True, "true is not a whole number"),
        (
            "smoothing",
            "randomwalk",
            '"randomwalk" is not "random-walk" or "independent". Did you mean "random-walk"?',
        ),
        ("knots", [2, 1], "must increase, but 1 follows 2"),
        ("boundary", 0, "0 is not above 0"),
        ("scale", -1.5, "-1.5 is not above 0"),
        ("scale", "1", '"1" is not a number'),
    ],
)
def test_values_of_the_model(key, value, said):
    keys = {"baseline": ["piecewise-exponential", "m-spline", "gompertz"], key: value}
    assert fault(model=keys) == f"plan.toml: [model] {key}: {said}"


# --- Priors ---

EVERY_BASELINE = {"baseline": ["weibull", "gompertz", "piecewise-exponential"]}


@pytest.mark.parametrize(
    ("keys", "made"),
    [
        ({}, Priors()),
        ({"intercept": "Normal(0, 5)"}, Priors(intercept=Normal(0, 5))),
        ({"coefficient": "StudentT(4, 0, 1)"}, Priors(coefficient=StudentT(4, 0, 1))),
        (
            {"coefficient": "HazardRatio(0.5, 2)"},
            Priors(coefficient=HazardRatio(0.5, 2)),
        ),
        (
            {"coefficient": {"lower": 0.5, "upper": 2, "prob": 0.8}},
            Priors(coefficient=HazardRatio(0.5, 2, 0.8)),
        ),
        (
            {"coefficient": {"cti2": {"lower": 0.5, "upper": 2}, "stage": "Normal(0, 1)"}},
            Priors(coefficient={"cti2": HazardRatio(0.5, 2), "stage": Normal(0, 1)}),
        ),
        ({"shape": "LogNormal(0, 1)"}, Priors(shape=LogNormal(0, 1))),
        ({"slope": "Normal(1, 2)"}, Priors(slope=Normal(1, 2))),
        ({"smoothing_sd": "HalfNormal(1)"}, Priors(smoothing_sd=HalfNormal(1))),
        ({"group_sd": "HalfCauchy(0.3)"}, Priors(group_sd=HalfCauchy(0.3))),
        ({"log_hazard": "Normal(-3, 2)"}, Priors(log_hazard=Normal(-3, 2))),
        (
            {"median_survival": {"lower": 6, "upper": 24}, "shape": "Gamma(2, 2)"},
            Priors(median_survival=MedianSurvival(6, 24), shape=Gamma(2, 2)),
        ),
        (
            {"median_survival": {"lower": 6, "upper": 24, "prob": 0.5}},
            Priors(median_survival=MedianSurvival(6, 24, 0.5)),
        ),
    ],
)
def test_priors(keys, made):
    assert plan(model=EVERY_BASELINE, priors=keys).prior_table() == made


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"intercept": "Norml(0, 5)"},
            "intercept: unknown prior 'Norml'; use one of Normal, StudentT, Robust, LogNormal, "
            "HalfNormal, HalfCauchy, Gamma, HazardRatio, RobustHazardRatio, MedianSurvival. "
            'Did you mean "Normal"?',
        ),
        (
            {"intercept": "flat"},
            "intercept: a prior reads like \"Normal(0, 2.5)\"; got 'flat'",
        ),
        (
            {"slope": "Normal(0)"},
            "slope: 'Normal(0)' should read Normal(mu, sigma)",
        ),
        (
            {"shape": "LogNormal(0, -1)"},
            "shape: prior LogNormal(0, -1): sigma must be finite and above 0",
        ),
        (
            {"intercept": "HazardRatio(0.5, 2)"},
            "intercept: cannot be HazardRatio(0.5, 2); use a distribution, such as Normal(0, 5)",
        ),
        (
            {"coefficient": {"cti2": "MedianSurvival(6, 24)"}},
            "coefficient.cti2: cannot be MedianSurvival(6, 24); use a distribution, such as "
            "Normal(0, 0.75)",
        ),
        (
            {"coefficient": {"lower": 2, "upper": 1}},
            "coefficient: hazard ratio prior needs 0 < lower < upper and 0 < prob < 1",
        ),
        (
            {"coefficient": {"cti2": {"lower": 0.5, "upper": 2, "prob": 95}}},
            "coefficient.cti2: hazard ratio prior needs 0 < lower < upper and 0 < prob < 1",
        ),
        (
            {"coefficient": {"lower": 0.5, "upper": 2, "prop": 0.5}},
            'coefficient.prop: unknown key. Did you mean "prob"? Keys here are lower, upper, prob',
        ),
        ({"coefficient": {"lower": 0.5}}, "coefficient.upper: missing"),
        ({"coefficient": 1}, "coefficient: 1 is not text in quotes"),
        ({"coefficient": {"cti2": [1]}}, "coefficient.cti2: [1] is not text in quotes"),
        ({"shape": 2}, "shape: 2 is not text in quotes"),
        (
            {"intercept": {"lower": 1, "upper": 2}},
            "intercept: { lower = 1, upper = 2 } is not text in quotes",
        ),
        (
            {"median_survival": "MedianSurvival(6, 24)"},
            'median_survival: "MedianSurvival(6, 24)" is not a table',
        ),
        (
            {"median_survival": {"lower": 6, "upper": "24"}},
            'median_survival.upper: "24" is not a number',
        ),
        (
            {"median_survival": {"lower": 6, "upper": 5}},
            "median_survival: median survival prior needs 0 < lower < upper and 0 < prob < 1",
        ),
        (
            {"shap": "LogNormal(0, 1)"},
            'shap: unknown key. Did you mean "shape"? Keys here are intercept, coefficient, '
            "shape, slope, smoothing_sd, group_sd, log_hazard, median_survival",
        ),
    ],
)
def test_faults_of_priors(keys, said):
    assert fault(model=EVERY_BASELINE, priors=keys) == f"plan.toml: [priors] {said}"


def test_priors_that_contradict():
    median = {"median_survival": {"lower": 6, "upper": 24}}
    both = {"intercept": "Norml(0, 1)", "log_hazard": "Normal(0, 1)", "shape": "Normal(0, 1)"}
    assert faults(model=EVERY_BASELINE, priors=median | both)[1:] == [
        "plan.toml: [priors]: median_survival takes the place of intercept; give one of them",
        "plan.toml: [priors]: median_survival takes the place of log_hazard; give one of them",
        "plan.toml: [priors]: shape is positive, not Normal(0, 1); "
        "use LogNormal, HalfNormal, HalfCauchy or Gamma",
    ]


@pytest.mark.parametrize(
    ("baseline", "key", "prior"),
    [
        ("piecewise-exponential", "intercept", "Normal(0, 5)"),
        ("exponential", "shape", "LogNormal(0, 1)"),
        ("weibull", "slope", "Normal(0, 1)"),
        ("weibull", "smoothing_sd", "HalfNormal(1)"),
        ("m-spline", "log_hazard", "Normal(0, 1)"),
    ],
)
def test_prior_without_its_parameter(baseline, key, prior):
    said = fault(model={"baseline": baseline}, priors={key: prior})
    assert said == f"plan.toml: [priors] {key}: {baseline} has no such parameter; leave it out"
    everything = ["weibull", "gompertz", "piecewise-exponential", "m-spline"]
    assert plan(model={"baseline": everything}, priors={key: prior})


def test_prior_of_the_walk_without_a_walk():
    keys = {"baseline": "piecewise-exponential", "smoothing": "independent"}
    said = fault(model=keys, priors={"smoothing_sd": "HalfNormal(1)"})
    assert said == (
        'plan.toml: [priors] smoothing_sd: piecewise-exponential with smoothing "independent" '
        "has no such parameter; leave it out"
    )


def test_prior_of_groups_without_groups():
    said = fault(model={"formula": "cti2"}, priors={"group_sd": "HalfNormal(1)"})
    assert said == (
        "plan.toml: [priors] group_sd: the formula has no group term, such as (1 | centre); "
        "leave it out"
    )


# --- Estimand and sampling ---


def test_estimand():
    profiles = [{"label": "treated", "cti2": 1, "stage": "II"}, {"cti2": False}]
    asked = plan(
        estimand={"treatment": "cti2", "horizon": 12, "times": [0, 6.5], "profiles": profiles}
    ).estimand
    assert (asked.treatment, asked.horizon, asked.times) == ("cti2", 12.0, (0.0, 6.5))
    assert asked.profiles == tuple(profiles)
    assert plan(estimand={"profiles": "observed"}).estimand.profiles == "observed"
    keys = {"rmst_margin": 1, "survival_margin": 0.1, "causal": "no confounding given stage"}
    benefit = plan(estimand=keys).estimand
    assert (benefit.rmst_margin, benefit.survival_margin) == (1.0, 0.1)
    assert benefit.causal == "no confounding given stage"
    assert plan().estimand.model_dump(exclude_none=True) == {"classical": True}
    assert not plan(estimand={"classical": False}).estimand.classical


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"treatment": "cti"},
            'treatment: "cti" is not in the formula "cti2 + stage + (1 | centre)". '
            'Did you mean "cti2"?',
        ),
        ({"treatment": 1}, "treatment: 1 is not text in quotes"),
        ({"horizon": 0}, "horizon: 0 is not above 0"),
        ({"horizon": "1 year"}, 'horizon: "1 year" is not a number'),
        ({"times": [0, -1]}, "times: -1 is below 0"),
        ({"times": [3, 1]}, "times: must increase, but 1 follows 3"),
        ({"times": []}, "times: must not be empty"),
        ({"times": 12}, "times: 12 is not a list in brackets"),
        ({"rmst_margin": -1}, "rmst_margin: -1 is not above 0"),
        ({"survival_margin": 10}, "survival_margin: 10 is not below 1"),
        ({"causal": " "}, "causal: must not be empty"),
        ({"profiles": "all"}, 'profiles: "all" is not "observed"'),
        ({"profiles": []}, "profiles: must not be empty"),
        ({"times": ["a"]}, 'times: "a" is not a number'),
        ({"profiles": ["a"]}, 'profiles: "a" is not a table'),
        (
            {"profiles": [{"cti2": 1}, {"stag": "I"}]},
            'profiles (number 2).stag: "stag" is not in the formula '
            '"cti2 + stage + (1 | centre)". Did you mean "stage"?',
        ),
        (
            {"profiles": [{"cti2": [0, 1]}]},
            "profiles (number 1).cti2: [0, 1] is not text, a number, true or false",
        ),
        (
            {"profiles": [{"label": "a", "cti2": 1}, {"label": "a", "cti2": 0}]},
            'profiles: the label "a" is given twice',
        ),
        ({"profiles": [{"label": 1}]}, "profiles: the label 1 is not text in quotes"),
    ],
)
def test_faults_of_the_estimand(keys, said):
    assert fault(estimand=keys) == f"plan.toml: [estimand] {said}"


@pytest.mark.parametrize(
    "keys", [{"chains": 2}, {"draws": 100}, {"tune": 100}, {"target_accept": 0.8}, {"seed": 42}]
)
def test_sampling(keys):
    assert plan(sampling=keys).sampling_settings() == Sampling(**keys)
    assert plan().sampling_settings() == Sampling()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"chains": 1}, "chains: 1 is below 2"),
        ({"chains": "4"}, 'chains: "4" is not a whole number'),
        ({"draws": 99}, "draws: 99 is below 100"),
        ({"tune": 99}, "tune: 99 is below 100"),
        ({"tune": 1000.0}, "tune: 1000.0 is not a whole number"),
        ({"target_accept": 1}, "target_accept: 1 is not below 1"),
        ({"target_accept": 0}, "target_accept: 0 is not above 0"),
        ({"target_accept": "high"}, 'target_accept: "high" is not a number'),
        ({"seed": -1}, "seed: -1 is below 0"),
        ({"seed": 2**64}, "seed: 18446744073709551616 is not below 9.22337e+18"),
        (
            {"chain": 4},
            'chain: unknown key. Did you mean "chains"? Keys here are chains, draws, tune, '
            "target_accept, seed, method",
        ),
    ],
)
def test_faults_of_sampling(keys, said):
    assert fault(sampling=keys) == f"plan.toml: [sampling] {said}"


# --- Sections and the cohort's keys ---


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        (
            {"samplin": {}},
            '[samplin]: unknown section. Did you mean "sampling"? Sections are cohort, endpoint, '
            "time_zero, model, priors, estimand, sampling",
        ),
        ({"cohort": {"file": ""}}, "[cohort] file: must not be empty"),
        ({"cohort": {"unit": None}}, "[cohort] unit: missing"),
        (
            {"cohort": {"missing": "dropp"}},
            '[cohort] missing: "dropp" is not "error" or "drop". Did you mean "drop"?',
        ),
        ({"cohort": {"reference": "I"}}, '[cohort] reference: "I" is not a table'),
        ({"cohort": {"reference": {"a": []}}}, "[cohort] reference.a: [] is not text in quotes"),
        ({"cohort": {"ordinal": {"a": "I"}}}, '[cohort] ordinal.a: "I" is not a table'),
        ({"cohort": {"ordinal": {"a": []}}}, "[cohort] ordinal.a.levels: must not be empty"),
        (
            {"cohort": {"ordinal": {"a": {"levels": ["I", "II"], "code": "linear"}}}},
            '[cohort] ordinal.a.code: unknown key. Did you mean "coding"? '
            "Keys here are levels, coding",
        ),
        (
            {"cohort": {"ordinal": {"a": {"levels": ["I", "II"], "coding": "liner"}}}},
            '[cohort] ordinal.a.coding: "liner" is not "monotone" or "linear". '
            'Did you mean "linear"?',
        ),
        (
            {"cohort": {"event": "died"}},
            "[cohort] event: unknown key. It belongs in [endpoint]. Keys here are file, unit, id, "
            "member, sheet, missing, reference, ordinal",
        ),
        (
            {"endpoint": {"o/s": {"time": "a", "event": "b"}}},
            "[endpoint.o/s]: this names a folder: use letters, digits, - and _ only",
        ),
        (
            {"endpoint": {"time": "os_months"}},
            '[endpoint.time]: "os_months" is not a table; name the endpoint, as in [endpoint.os]',
        ),
        ({"endpoint": {"pfs": {"time": "a"}}}, "[endpoint.pfs] event: missing"),
        (
            {"endpoint": {"pfs": {"time": "a", "evnt": "b", "event": "b"}}},
            '[endpoint.pfs] evnt: unknown key. Did you mean "event"? '
            "Keys here are time, event, entry, upper, cause",
        ),
    ],
)
def test_faults_of_sections(sections, said):
    assert fault(**sections) == f"plan.toml: {said}"


def test_section_that_is_no_table():
    with pytest.raises(InputError) as caught:
        Plan.from_document(GOOD | {"sampling": 3, "estimand": [1]}, source="plan.toml")
    assert [str(fault) for fault in caught.value.faults] == [
        "plan.toml: [estimand]: [1] is not a table",
        "plan.toml: [sampling]: 3 is not a table",
    ]


def test_faults_are_listed_together():
    said = faults(
        cohort={"unit": 3},
        model={"baselin": "weibull", "formula": "bulky", "intervals": 4, "cuts": [1]},
        priors={"shape": "Normal(0, 1)", "group_sd": "HalfNormal(1)"},
        estimand={"treatment": "cti2"},
        sampling={"draws": 5},
    )
    assert [line.removeprefix("plan.toml: ").partition(":")[0] for line in said] == [
        "[cohort] unit",
        "[model] baselin",
        "[sampling] draws",
        "[model] intervals",
        "[priors] group_sd",
        "[priors]",
        "[estimand] treatment",
    ]


# --- Cohorts ---


def test_one_cohort_for_each_endpoint(tmp_path):
    made = cohorts(tmp_path, endpoint=BOTH, cohort={"id": "pid"})
    assert list(made) == ["os", "efs"]
    assert made["os"].time.tolist() == [12, 7.5, 3, 20, 9]
    assert made["efs"].time.tolist() == [5, 6, 2, 9, 4]
    assert made["efs"].event.tolist() == [True, False, True, False, True]
    assert made["os"].unit == "months"
    assert made["os"].source == "cohort.csv"
    assert made["os"].patient.tolist() == list("abcde")
    for cohort in made.values():
        others = ["pid", "start", "os_upper", "cti2", "stage", "centre"]
        assert sorted(cohort.covariates) == sorted(others)


def test_other_endpoint_in_the_formula_stays(tmp_path):
    made = cohorts(tmp_path, endpoint=EFS | {"os": None}, model={"formula": "died"})
    assert "died" in made["efs"].covariates
    late = {"late": {"time": "os_months", "event": "died"}, "os": None}
    made = cohorts(tmp_path, endpoint=EFS | late, model={"formula": "cti2"})
    assert "died" not in made["efs"].covariates
    with pytest.raises(InputError, match="this is the event column, not a covariate"):
        cohorts(tmp_path, endpoint=EFS | late, model={"formula": "cti2 + died"})


def test_entry_and_upper(tmp_path):
    columns = GOOD["endpoint"]["os"] | {"entry": "start", "upper": "os_upper"}
    made = cohorts(tmp_path, endpoint={"os": columns})["os"]
    assert made.entry.tolist() == [0, 1, 0, 2, 0]
    assert made.interval.tolist() == [True, False, False, True, False]


def test_reference_ordinal_and_sheet(tmp_path):
    keys = {
        "reference": {"centre": "y", "cti2": 1},
        "ordinal": {"stage": {"levels": ["III", "II", "I"], "coding": "linear"}},
    }
    made = cohorts(tmp_path, cohort=keys)["os"]
    assert list(made.covariates["centre"].cat.categories) == ["y", "x"]
    assert list(made.covariates["cti2"].cat.categories) == ["1", "0"]
    assert list(made.covariates["stage"].cat.categories) == ["III", "II", "I"]
    assert dict(made.coding) == {"stage": "linear"}
    plain = cohorts(tmp_path, cohort={"ordinal": {"stage": ["I", "II", "III"]}})["os"]
    assert dict(plain.coding) == {"stage": "monotone"}
    with pytest.raises(InputError, match='sheet "one" was asked for, but only Excel has sheets'):
        cohorts(tmp_path, cohort={"sheet": "one"})


def test_missing_covariates(tmp_path):
    holes = TABLE.assign(stage=["I", None, "II", "I", "II"])
    with pytest.raises(InputError) as caught:
        cohorts(tmp_path, holes, endpoint=BOTH, cohort={"id": "pid"})
    assert str(caught.value) == (
        'cohort.csv, row 3, column stage: is missing for patient "b"; fill it in, or ask to '
        'leave out such patients: missing = "drop" (--missing drop)'
    )
    made = cohorts(tmp_path, holes, cohort={"missing": "drop"})["os"]
    assert made.n_patients == 4
    assert made.notes == ("1 of 5 patients dropped: stage missing for 1",)


def test_hole_that_the_formula_does_not_need(tmp_path):
    holes = TABLE.assign(stage=["I", None, "II", "I", "II"])
    assert cohorts(tmp_path, holes, model={"formula": "cti2"})["os"].n_patients == 5


def test_faults_of_all_endpoints_are_listed_once(tmp_path):
    bad = TABLE.assign(
        os_months=[12, -1, 3, 20, 9], relapsed=[1, 0, 2, 0, 1], stage=["I", None, "II", "I", "II"]
    )
    with pytest.raises(InputError) as caught:
        cohorts(tmp_path, bad, endpoint=BOTH, model={"formula": "cti2 + stage + bulky"})
    said = [str(fault) for fault in caught.value.faults]
    assert [line[:44] for line in said] == [
        "formula: no column 'bulky'; the columns are ",
        "cohort.csv, row 3, column os_months: -1.0 is",
        "cohort.csv, row 3, column stage: is missing ",
        'cohort.csv, row 4, column relapsed: "2" is n',
    ]


def test_cohort_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cohort.csv: no file"):
        Plan.from_document(GOOD, folder=tmp_path).cohorts()
