"""Rules of response to salvage: at day 30, and the best before a later therapy."""

from collections.abc import Sequence

from bayesurv.data.clinical.checks import RESPONDED
from bayesurv.data.clinical.patient import Patient, Record
from bayesurv.data.clinical.rule import Found, Options, rule
from bayesurv.data.clinical.rules_survival import SCANS
from bayesurv.data.clinical.schema import RESPONSES

ASSESSMENTS = "Paper, Methods, assessment of efficacy"
DAY_30 = "Paper, Results, efficacy of salvage: rate of response at day 30"


def _shown(scan: Record | None, patient: Patient, missing: str) -> Found:
    if scan is None:
        return Found(None, (patient.cite("salvage_start_date"),), missing)
    return Found(scan["response"], (scan.cite("response", "date"),))


def _responder(response: Found) -> Found:
    remark = f"{response.remark}: counts as no response" if response.remark else ""
    return Found(int(response.value in RESPONDED), response.sources, remark)


@rule(ASSESSMENTS, options=("response_window",), needs=SCANS)
def response_day30(patient: Patient, options: Options) -> Found:
    """Response on the assessment nearest to day 30 of salvage, within the window.

    Of two equally near, the earlier; none that came after a later therapy had begun.
    """
    first, last = options.response_window
    days = {(scan["date"] - patient.start).days: scan for scan in patient.own_scans}
    within = [day for day in days if first <= day <= last]
    nearest = min(within, key=lambda day: (abs(day - 30), day), default=None)
    dead = patient["death_date"]
    died = dead is not None and (dead - patient.start).days <= last
    missing = f"no assessment from day {first} to {last}{', died by then' if died else ''}"
    return _shown(None if nearest is None else days[nearest], patient, missing)


@rule(DAY_30, options=("response_window",), needs=SCANS)
def responder_day30(patient: Patient, options: Options) -> Found:
    """1 where the response at day 30 was CR or PR; 0 else, also where there was no assessment."""
    return _responder(response_day30.find(patient, options))


@rule(ASSESSMENTS, needs=SCANS)
def best_response(patient: Patient, options: Options) -> Found:
    """The best response after salvage began and before a later therapy."""
    return _shown(_best(patient.own_scans), patient, "no assessment")


def _best(scans: Sequence[Record]) -> Record | None:
    return min(scans, key=lambda scan: RESPONSES.index(scan["response"]), default=None)


@rule(ASSESSMENTS, needs=SCANS)
def best_responder(patient: Patient, options: Options) -> Found:
    """1 where the best response was CR or PR; 0 else, also where there was no assessment."""
    return _responder(best_response.find(patient, options))


RESPONSE = (response_day30, responder_day30, best_response, best_responder)
