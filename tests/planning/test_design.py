"""DESIGN.toml: what it may hold, what is refused, and what is written back."""

import tomllib

import pytest

from bayesurv.data.faults import InputError
from bayesurv.planning.design import StudyDesign, dropout_hazard, number_treated, read_design
from bayesurv.planning.model import study_model

WHOLE = """
[design]
unit = "months"
treatment = "cti2"
patients = [61, 100]
ratio = [27, 34]
accrual = 60
follow_up = 12
dropout_yearly = 0.1
looks = { by = "events", at = [0.5, 0.75], planned_events = [41, 70] }
[truth]
hazard_ratio = [0.5, 0.7]
prior = "HazardRatio(0.4, 1.2)"
baseline = { name = "piecewise-exponential", cuts = [3, 12], hazards = [0.1, 0.05, 0.02] }
covariates = { bulky = { treated = 0.3, control = 0.2, hazard_ratio = 2 } }
non_proportional.late = { kind = "delayed", until = 3, hazard_ratio = 0.6 }
non_proportional.brief = { kind = "waning", since = 3, until = 9, hazard_ratio = 0.6 }
non_proportional.both = { kind = "crossing", early = 1.5, until = 3, hazard_ratio = 0.6 }
[analysis]
baseline = "piecewise-exponential"
cuts = [3, 12]
[priors]
coefficient = { cti2 = "Normal(0, 0.5)" }
[decision]
threshold = [0.975, 0.9]
efficacy = [0.995, 0.99]
futility = [0.05, 0.1]
[simulation]
replicates = 100
"""


def test_a_whole_design_is_read_and_written_back_equal():
    design = StudyDesign.from_document(tomllib.loads(WHOLE))
    assert StudyDesign.from_document(tomllib.loads(design.to_toml())) == design
    keys, truth = design.study()
    assert keys.looks.planned_events == (41, 70)
    assert list(truth.non_proportional) == ["late", "brief", "both"]


def test_files_are_looked_for_beside_the_design(tmp_path):
    text = '[running]\nfit = "results/os"\nfollow_up = 12\n'
    (tmp_path / "d.toml").write_text(text)
    assert read_design(tmp_path / "d.toml").running.fit == str(tmp_path / "results" / "os")


def test_more_replicates_are_the_same_design_and_another_seed_is_not(make_design):
    design = make_design()
    assert design.with_options(5000, None).digest() == design.digest()
    assert design.with_options(None, 3).digest() != design.digest()
    assert design.digest("jax") != design.digest("pymc")
    with pytest.raises(InputError, match="--replicates: 1 is below 2"):
        design.with_options(1, None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"design": {"unit": "month"}}, '[design] unit: "month" is not days, weeks, months'),
        ({"design": {"patients": [61, 40]}}, "[design] patients: must increase"),
        ({"design": {"patients": [2]}}, "[design] patients (number 1): 2 is below 4"),
        ({"design": {"ratio": [27]}}, "[design] ratio: must be two numbers, treated and control"),
        ({"design": {"treated": 0.4}}, "[design] treated: give the share treated, or ratio"),
        ({"design": {"ratio": None, "treated": 0.001}}, "of 40 patients, one arm would have none"),
        ({"design": {"accrual_rate": 2.0}}, "[design] accrual_rate: contradicts accrual"),
        ({"design": {"follow_up": None}}, "[design] follow_up: say how long patients are"),
        ({"design": {"patient": 3}}, 'unknown key. Did you mean "patients"?'),
        ({"design": {"treatment": "car-t"}}, '"car-t" is not a name of letters, digits and _'),
        ({"design": {"looks": {"by": "day", "at": [1]}}}, "[design] looks.by: "),
        ({"design": {"looks": {"by": "patients", "at": [2]}}}, "2 is not a share below 1"),
        ({"design": {"looks": {"by": "events", "at": [0.5]}}}, "say how many events are planned"),
        ({"truth": {"hazard_ratio": [0.5, 0.5]}}, "[truth] hazard_ratio: 0.5 is given twice"),
        ({"truth": {"hazard_ratio": [-1]}}, "-1 is not above 0"),
        ({"truth": {"prior": "HalfNormal(1)"}}, "is not of a log hazard ratio; use Normal"),
        ({"truth": {"prior": "Norml(0, 1)"}}, '[truth] prior: unknown prior "Norml"'),
        ({"truth": {"baseline": {"name": "weibull", "median": 6}}}, "baseline.shape: missing"),
        ({"truth": {"baseline": {}}}, "[truth] baseline: give a name with its numbers, or fit"),
        (
            {
                "truth": {
                    "baseline": {"name": "piecewise-exponential", "cuts": [3], "hazards": [0.1]}
                }
            },
            "1 cuts make 2 intervals, but there are 1 hazards",
        ),
        (
            {"truth": {"covariates": {"cti2": {"treated": 0.1, "control": 0.1}}}},
            "[truth] covariates.cti2: this is the treatment's name",
        ),
        (
            {"truth": {"non_proportional": {"design prior": {}}}},
            '"design prior" is not a name of letters, digits and _',
        ),
        (
            {"truth": {"non_proportional": {"x": {"kind": "waning", "until": 3, "since": 5}}}},
            "non_proportional.x.hazard_ratio: missing",
        ),
        ({"analysis": {"baseline": "weibul"}}, 'Did you mean "weibull"?'),
        ({"analysis": {"baseline": "piecewise-exponential"}}, "[analysis] cuts: missing"),
        ({"analysis": {"cuts": [3]}}, "only piecewise-exponential has it"),
        ({"analysis": {"draws": 10}}, "[analysis] draws: 10 is below 200"),
        ({"priors": {"shape": "Normal(0, 1)"}}, "[priors]: shape is positive"),
        ({"decision": {"threshold": 97.5}}, "[decision] threshold (number 1): 97.5 is not below 1"),
        ({"decision": {"efficacy": 0.99}}, "[decision] efficacy: holds 1 numbers for 0 looks"),
        (
            {"running": {"fit": "os", "follow_up": 12, "patients": 5}},
            "[running] patients: say over",
        ),
        ({"simulations": {"seed": 1}}, 'unknown section. Did you mean "simulation"?'),
    ],
)
def test_one_thing_wrong(document, changes, said):
    with pytest.raises(InputError) as refused:
        StudyDesign.from_document(document(**changes), source="d.toml")
    assert said.replace('"Norml"', "'Norml'") in str(refused.value)
    assert all(fault.file == "d.toml" for fault in refused.value.faults)


def test_everything_wrong_is_said_at_once(document):
    changed = document(
        design={"unit": "month", "treated": 0.3},
        truth={"prior": "x"},
        analysis={"baseline": "gamma"},
        decision={"target": 2.0},
    )
    with pytest.raises(InputError) as refused:
        StudyDesign.from_document(changed)
    assert len(refused.value.faults) == 4


def test_a_design_has_a_study_or_a_running_one(document):
    with pytest.raises(InputError, match=r"\[design\]: missing: a design has"):
        StudyDesign.from_document({})
    with pytest.raises(InputError, match=r"\[truth\]: missing"):
        StudyDesign.from_document({"design": document()["design"]})


@pytest.mark.parametrize(
    ("analysis", "priors", "said"),
    [
        ({"formula": "cti3"}, {}, "[analysis] formula: no column 'cti3'"),
        ({"formula": "cti2:bulky"}, {}, 'the treatment "cti2" is no term of its own'),
        ({}, {"coefficient": {"bulk": "Normal(0, 1)"}}, "no term 'bulk' in the model"),
        ({}, {"coefficient": "Robust(-1, 0.2, 0.5, 1)"}, "does not see; state a plain one"),
    ],
)
def test_a_model_that_cannot_be_used(make_design, analysis, priors, said):
    covariates = {"bulky": {"treated": 0.3, "control": 0.2}}
    design = make_design(truth={"covariates": covariates}, analysis=analysis, priors=priors)
    with pytest.raises(InputError) as refused:
        study_model(design, 6.0)
    assert said in str(refused.value)


def test_arms_and_dropout(make_design):
    keys, _ = make_design().study()
    assert [number_treated(keys, patients) for patients in (61, 100, 122)] == [27, 44, 54]
    assert dropout_hazard(0.5, None, "years") == pytest.approx(0.6931471805599453)
    assert 12 * dropout_hazard(0.5, None, "months") == pytest.approx(0.6931471805599453)
    assert dropout_hazard(None, 0.02, "days") == 0.02


def test_the_shipped_design_is_one():
    design = read_design("scripts/cti2_design.toml")
    keys, _ = design.study()
    assert keys.patients == (61, 100, 200)
    assert number_treated(keys, 61) == 27
