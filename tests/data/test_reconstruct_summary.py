"""A summary's faults are told all at once, and the shipped one says what the paper prints."""

import pytest

from bayesurv.data.faults import InputError
from bayesurv.data.published import wang_2025
from bayesurv.data.reconstruct.problem import groups, stages
from bayesurv.data.reconstruct.summary import read_summary

HEAD = """
title = "x"
unit = "months"
treatment = "new"
arms = ["A", "B"]
patients = [10, 12]
"""
OS = """
[[endpoint]]
name = "os"
events = [4, 6]
follow_up = { median = [5.0, 6.0], lower = [1.0, 1.0], upper = [20.0, 30.0] }
"""
LOG_RANK = """
[[target]]
name = "t"
kind = "log-rank"
endpoint = "os"
term = "new"
p = "0.04"
"""


def faults(tmp_path, text, head=HEAD):
    path = tmp_path / "summary.toml"
    path.write_text(head + text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_summary(path)
    return [str(fault) for fault in error.value.faults]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OS.replace("[4, 6]", "[11, 6]"), '"os": 11 events of 10 patients (A)'),
        (OS.replace("5.0, 6.0", "25.0, 6.0"), "the median 25 is outside the range 1 to 20 (A)"),
        (OS.replace("lower = [1.0", "lower = [21.0"), "the range 21 to 20 (A) is none"),
        (OS.replace("20.0", "20.005"), "times are kept to 0.01 months"),
        ('[[endpoint]]\nname = "os"\n', "follow_up is missing"),
        (OS + '[[endpoint]]\nname = "pfs"\nevents = [3, 8]\n', '"pfs" has 3 events and "os" 4'),
        (OS + '[[variable]]\nname = "b"\nyes = [11, 2]\n', "11 of 10 patients (A)"),
        (OS + '[[variable]]\nname = "b"\npercent = [33, 50]\n', "33% of 10 (A) is no whole count"),
        (OS + '[[variable]]\nname = "b"\nlevels = [1, 2]\ncounts = [[4, 4], [5, 8]]\n',
         "the counts add up to 9"),
        (OS + '[[variable]]\nname = "age"\nmedian = [90, 50]\nlower = [20, 20]\nupper = [80, 80]\n',
         "the median 90 is outside the range 20 to 80"),
        (OS + '[[variable]]\nname = "age"\nmedian = [50.3, 50]\nlower = [2, 2]\nupper = [80, 80]\n',
         "no whole numbers of 10 patients have the median 50.3"),
        (OS + '[[variable]]\nname = "b"\nyes = [1, 2]\nnever = [{ b = [1], c = [1] }]\n',
         'names "c", no column'),
        (OS + '[[variable]]\nname = "b"\nyes = [1, 2]\nnever = [{ b = [2], os_event = [1] }]\n',
         'levels of "b" are a list of 0, 1'),
        (OS + LOG_RANK.replace("0.04", "0.000"), 'no test gives P = 0.000; write "<0.001"'),
        (OS + LOG_RANK.replace("0.04", "1.000"), "says nothing that can be searched for"),
        (OS + LOG_RANK.replace("0.04", "4"), "P = 4 is not between 0 and 1"),
        (OS + LOG_RANK.replace("0.04", "n.s."), "is not as printed"),
        (OS + LOG_RANK.replace('term = "new"', 'term = "newer"'), 'no variable "newer"'),
        (OS + LOG_RANK.replace('endpoint = "os"', 'endpoint = "dfs"'), 'no endpoint "dfs"'),
        (OS + LOG_RANK + LOG_RANK, '"t" stands there 2 times'),
        (OS + LOG_RANK + 'status = "unmet"\n', "an unmet target states its reason"),
        (OS + LOG_RANK + 'colour = "red"\n', "no such key"),
        (OS + '[[target]]\nname = "t"\nkind = "median"\nendpoint = "os"\nvalue = "45"\n',
         "the median 45 is outside the follow-up, 1 to 30"),
        (OS + '[[target]]\nname = "t"\nkind = "events"\nendpoint = "os"\nvalue = "25"\n',
         "25 events are more than there are patients"),
    ],
)  # fmt: skip
def test_each_fault_is_told(tmp_path, text, said):
    found = faults(tmp_path, text)
    assert any(said in each for each in found), found
    assert all(each.startswith("summary.toml") for each in found)


COX = """
[[target]]
name = "t"
kind = "cox"
endpoint = "os"
terms = ["new"]
of = "new"
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('ratio = "1.970"\nlower = "1.944"\nupper = "3.997"\n',
         "are not centred on 1.970 but on 2.788"),
        ('lower = "0.883"\nupper = "3.141"\np = "0.015"\n', "P = 0.015, but the limits"),
        ('lower = "3.1"\nupper = "0.9"\n', "are no interval"),
        ('ratio = "1.5"\nhigher = false\n', "a ratio of 1.5 and higher = false"),
    ],
)  # fmt: skip
def test_ratios_and_limits_that_contradict_each_other(tmp_path, text, said):
    assert any(said in each for each in faults(tmp_path, OS + COX + text))


def test_all_faults_come_at_once(tmp_path):
    text = OS.replace("[4, 6]", "[11, 6]") + '[[variable]]\nname = "b"\npercent = [33, 50]\n'
    assert len(faults(tmp_path, text)) == 2


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_summary(tmp_path / "none.toml")
    path = tmp_path / "broken.toml"
    path.write_text("title = ", encoding="utf-8")
    with pytest.raises(InputError, match="not a readable TOML file"):
        read_summary(path)


# --- The founding paper's own ---

COUNTS = {
    "sex": "sex",
    "diagnosis": "diagnosis",
    "ipi3": "IPI >= 3 at onset",
    "bulky": "bulky disease at onset",
    "tp53": "TP53 disruption",
    "double_hit": "double hit",
    "bone_marrow": "bone marrow involved",
    "cns": "central nervous system involved",
    "hsct_before": "HSCT before CTI1",
    "hsct_bridging": "HSCT bridging CTI1",
    "cti1_response": "best response to CTI1",
    "failure": "failure of CTI1",
    "day30_response": "response at day 30",
    "neutropenia": "neutropenia, grade III/IV",
    "anaemia": "anaemia, grade III/IV",
    "thrombocytopenia": "thrombocytopenia, grade III/IV",
    "hepatotoxicity": "hepatotoxicity, grade >= 2",
    "nephrotoxicity": "nephrotoxicity, grade >= 2",
    "cardiotoxicity": "cardiotoxicity, grade >= 2",
    "crs_grade": "cytokine release syndrome",
    "neurotoxicity": "neurotoxicity, grade >= 2",
    "infection_grade3": "infection, grade >= 3",
    "infection_type": "type of infection",
}


@pytest.fixture(scope="module")
def cti2():
    return read_summary("cti2")


@pytest.mark.parametrize(("column", "name"), COUNTS.items())
def test_counts_are_those_that_the_paper_prints(cti2, column, name):
    printed = wang_2025().named(name)
    variable = cti2.named(column)
    counted = [counts for _, counts in groups(variable, cti2.patients)]
    if variable.yes is not None:
        counted = [variable.yes]
    assert tuple(counted[: len(printed.counts)]) == printed.counts


def test_ranges_deaths_and_follow_up_are_the_papers(cti2):
    paper = wang_2025()
    for column, name in (("age", "age"), ("lines", "lines of therapy before CTI1")):
        printed, variable = paper.named(name), cti2.named(column)
        assert (variable.median, variable.lower, variable.upper) == (
            printed.median, printed.lower, printed.upper,
        )  # fmt: skip
    follow_up = paper.named("follow-up")
    stated = cti2.follow_up
    assert (stated.median, stated.lower, stated.upper) == (
        follow_up.median, follow_up.lower, follow_up.upper,
    )  # fmt: skip
    assert cti2.endpoint[0].events == paper.named("deaths").counts[0]
    assert dict(groups(cti2.named("stage"), cti2.patients))[(2, 3)] == (24, 33)
    causes = groups(cti2.named("death_cause"), cti2.patients)
    assert causes[0][1] == paper.named("death with infection, of deaths").counts[0]
    igg = paper.named("hypogammaglobulinaemia (IgG < 400 mg/dL)")
    low, high, unknown = (counts for _, counts in groups(cti2.named("igg"), cti2.patients))
    assert low == igg.counts[0]
    assert tuple(a + b for a, b in zip(low, high, strict=True)) == igg.of


FACTORS = {
    "salvage therapy": ("cti2", "salvage"),
    "stage": ("stage", "stage"),
    "bulky disease": ("bulky", "bulky disease"),
    "HSCT bridging CTI1": ("hsct_bridging", "HSCT bridging CTI1"),
    "best response to CTI1": ("cti1_response", "best response to CTI1"),
}


def test_every_printed_p_of_times_and_responses_is_a_target(cti2):
    targets = {target.name: target for target in cti2.target}
    for printed in wang_2025().p_values:
        if printed.test == "rank sum":  # of CAR copies, of which nothing else is printed
            continue
        _, said = FACTORS[printed.factor]
        outcome = printed.outcome.replace("best overall response", "best response")
        test = "" if printed.test == "not stated" else f", {printed.test}"
        assert targets[f"{outcome} by {said}{test}"].p == printed.p


def test_the_abstracts_ratios_are_targets(cti2):
    by_name = {target.name: target for target in cti2.target}
    first, second = wang_2025().hazard_ratios
    found = by_name["OS by salvage, Cox, multivariable"]
    assert [float(x) for x in (found.ratio, found.lower, found.upper)] == [
        first.estimate, first.lower, first.upper,
    ]  # fmt: skip
    assert float(by_name["OS by stage, Cox, multivariable"].ratio) == second.estimate


def test_each_endpoint_is_searched_by_itself_and_the_rest_in_linked_sets(cti2):
    found = stages(cti2)
    assert [stage.structure.moving for stage in found[:3]] == [0, 1, 2]
    assert all(stage.structure.moving == -1 for stage in found[3:])
    assert set(found[0].names) == {"stage", "bulky", "hsct_bridging", "cti1_response"}
    linked = next(stage for stage in found[3:] if "best_response" in stage.names)
    assert {"salvage_type", "failure", "day30_response"} <= set(linked.names)
    together = next(stage for stage in found[3:] if "death_cause" in stage.names)
    assert {"infection_grade3", "infection_type"} <= set(together.names)
    assert not any(
        "infection_grade3" in stage.names for stage in found[3:] if stage is not together
    )
