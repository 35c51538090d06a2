"""The external cohorts: each number as it was found, and what it lacks is said."""

import pytest

from bayesurv.data.faults import InputError
from bayesurv.data.published.external import ORIGINS, external_evidence, named_evidence

EVERY = external_evidence()
MEASURES = {"hazard ratio", "median", "survival", "proportion", "count"}
RATIOS = {
    "xue_2024_os": ("0.28 (0.16-0.51)", "os", "not-stated"),
    "descar_t_late_2025_chemotherapy_pfs": ("0.350 (0.193-0.633)", "pfs", "not-stated"),
    "descar_t_late_2025_others_pfs": ("0.483 (0.290-0.805)", "pfs", "not-stated"),
    "gouni_2022_bone_marrow_pfs": ("5.2 (1.8-15)", "pfs", "not-stated"),
    "gouni_2022_ldh_pfs": ("5.0 (1.4-16)", "pfs", "not-stated"),
}
MEDIANS = {
    "gauthier_2021_nhl_response_duration": "6",
    "xue_2024_os_treated": "8.15",
    "xue_2024_os_control": "3.02",
    "xue_2024_pfs_treated": "4.04",
    "xue_2024_pfs_control": "2.27",
    "di_blasi_2022_pfs": "2.8",
    "di_blasi_2022_os": "5.2",
    "di_blasi_2022_os_very_early": "1.7",
    "di_blasi_2022_os_later": "3.0",
    "descar_t_late_2025_pfs": "4.4 (3.8-5.8)",
    "descar_t_late_2025_os": "13.2 (9.6-18)",
    "iacoboni_2024_os": "5.3",
    "iacoboni_2024_os_before_2": "1.9",
    "iacoboni_2024_os_2_to_6": "5.2",
    "iacoboni_2024_os_after_6": "",
    "multicentre_2023_os": "5.5",
    "multicentre_2023_pfs": "2.8",
    "multicentre_2023_pfs_best": "5.5",
    "gouni_2022_pfs": "10 (5-15)",
    "spiegel_2021_pfs": "55",
    "spiegel_2021_os": "180",
    "alarcon_tomas_2023_os": "8",
    "bispecific_2025_pfs": "2.8",
    "bispecific_2025_early_pfs": "2.2",
    "bispecific_2025_middle_pfs": "3.7",
    "bispecific_2025_late_pfs": "10.5",
    "bicar_os": "14.7",
    "bicar_os_null": "6.3",
    "bicar_os_alternative": "12.6",
    "scholar_1_os": "6.3",
    "loncastuximab_2025_efs": "2.1",
    "loncastuximab_2025_os": "4.6",
    "loncastuximab_2025_after_car_t_os": "",
    "chow_2018_os": "",
    "go29365_pfs": "9.2",
    "go29365_os": "12.4",
}
SURVIVAL = {
    "di_blasi_2022_alive": (6, "47.9"),
    "di_blasi_2022_alive_very_early": (6, "18.9"),
    "zurko_2022_os": (12, "59"),
    "zurko_2022_pfs": (12, "45"),
    "german_pola_br_pfs": (6, "27.7"),
    "german_pola_br_os": (6, "49.6"),
    "iacoboni_2024_pola_br_pfs": (12, "36.2"),
    "iacoboni_2024_bispecific_pfs": (12, "32.0"),
    "iacoboni_2024_radiotherapy_pfs": (12, "30.8"),
    "iacoboni_2024_checkpoint_pfs": (12, "29.9"),
    "iacoboni_2024_lenalidomide_pfs": (12, "7.3"),
    "iacoboni_2024_chemotherapy_pfs": (12, "6.1"),
    "iacoboni_2024_pola_br_os": (12, "51.0"),
    "iacoboni_2024_bispecific_os": (12, "50.1"),
    "iacoboni_2024_radiotherapy_os": (12, "37.5"),
    "iacoboni_2024_checkpoint_os": (12, "27.8"),
    "iacoboni_2024_lenalidomide_os": (12, "20.8"),
    "iacoboni_2024_chemotherapy_os": (12, "18.3"),
}
SHARES = {
    "gauthier_2021_response": ("39", 44),
    "gauthier_2021_complete_response": ("20", 44),
    "gauthier_2021_nhl_complete_response": ("19", 21),
    "gauthier_2021_crs": ("9", 44),
    "gauthier_2021_neurotoxicity": ("11", 44),
    "xue_2024_complete_response_treated": ("15", 54),
    "xue_2024_complete_response_control": ("3", 38),
    "descar_t_late_2025_response": ("22.6", 298),
    "iacoboni_2024_pola_br_response": ("67", None),
    "iacoboni_2024_bispecific_response": ("51", None),
    "iacoboni_2024_radiotherapy_response": ("45", None),
    "iacoboni_2024_checkpoint_response": ("33", None),
    "iacoboni_2024_lenalidomide_response": ("25", None),
    "iacoboni_2024_chemotherapy_response": ("25", None),
    "zurko_2022_non_relapse_mortality": ("22", 88),
    "gouni_2022_response": ("25", 57),
    "gouni_2022_complete_response": ("8", 57),
    "spiegel_2021_response": ("29", None),
    "spiegel_2021_complete_response": ("17", None),
    "bispecific_2025_response": ("43", 92),
    "bispecific_2025_early_response": ("29", None),
    "bispecific_2025_middle_response": ("54", None),
    "bispecific_2025_late_response": ("60", None),
    "np30179_complete_response": ("35", 51),
    "epcore_nhl_1_response": ("54", 61),
    "epcore_nhl_1_complete_response": ("34", 61),
    "epcore_nhl_1_two_years": ("36", 61),
    "non_relapse_mortality_2024_lymphoma": ("6.1", None),
    "non_relapse_mortality_2024_infection_share": ("50.9", 574),
    "descar_t_mortality_2023_non_relapse_mortality": ("5.0", 957),
    "descar_t_mortality_2023_infection_share": ("56", 957),
    "infection_meta_analysis_a_severe": ("16.2", 3591),
    "infection_meta_analysis_a_mortality": ("1.8", 3591),
    "infection_meta_analysis_b_severe_share": ("25", 2678),
    "loncastuximab_2025_response": ("32", 187),
    "loncastuximab_2025_complete_response": ("14", 187),
    "lotis_2_response": ("48.3", 145),
    "go29365_response": ("62.5", None),
    "german_pola_br_response": ("48.1", 54),
}


def by_measure(*measures):
    return {each.name: each for each in EVERY if each.measure in measures}


def test_hazard_ratios_are_as_found():
    found = by_measure("hazard ratio")
    assert found.pop("xue_2024_pfs").printed == "0.46"
    assert {k: (e.printed, e.endpoint, e.origin) for k, e in found.items()} == RATIOS
    assert all(each.treatment and each.control for each in found.values())


def test_medians_and_survival_are_as_found():
    assert {name: each.printed for name, each in by_measure("median").items()} == MEDIANS
    found = by_measure("survival").items()
    assert {name: (each.at, each.printed) for name, each in found} == SURVIVAL


def test_shares_are_as_found():
    found = by_measure("proportion", "count").items()
    assert {name: (each.printed, each.patients) for name, each in found} == SHARES


def test_units_events_and_origins_are_as_found():
    units = {each.name: each.unit for each in EVERY if each.unit != "months"}
    assert units == {
        "gouni_2022_pfs": "weeks", "spiegel_2021_pfs": "days", "spiegel_2021_os": "days",
    }  # fmt: skip
    assert {each.name: each.events for each in EVERY if each.events} == {"gouni_2022_pfs": 46}
    progression = {each.name for each in EVERY if each.origin == "progression"}
    from_progression = "di_blasi_2022_os iacoboni_2024_os multicentre_2023_os spiegel_2021_os"
    assert set(from_progression.split()) < progression
    assert {each.name for each in EVERY if each.origin == "infusion" and each.endpoint == "os"} == {
        "zurko_2022_os"
    }


def test_what_is_missing_is_said():
    lacking = {each.name: each.missing for each in EVERY if each.missing}
    assert lacking["xue_2024_pfs"] == "the confidence interval is cut off"
    assert "cut off" in lacking["chow_2018_os"]
    assert "not reached" in lacking["iacoboni_2024_os_after_6"]
    assert {each.name for each in EVERY if each.estimate is None} <= set(lacking)


def test_every_number_has_a_source_and_names_are_unique():
    assert len({each.name for each in EVERY}) == len(EVERY)
    for each in EVERY:
        assert each.source
        assert each.address
        assert "://" not in each.address
        assert each.population
        assert each.measure in MEASURES
        assert each.origin in ORIGINS


def test_evidence_is_found_by_name_and_the_nearest_is_suggested():
    [first, second] = named_evidence(["xue_2024_pfs", "xue_2024_os"])
    assert (first.name, second.name) == ("xue_2024_pfs", "xue_2024_os")
    with pytest.raises(InputError) as caught:
        named_evidence(["xue_2024_so", "nobody"])
    said = [str(fault) for fault in caught.value.faults]
    assert said[0] == 'evidence: none is named "xue_2024_so". Did you mean "xue_2024_os"?'
    assert said[1].startswith('evidence: none is named "nobody".')
