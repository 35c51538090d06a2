"""A seeded cohort of 61 patients, 27 treated, with three nested endpoints; for timing only."""

import numpy as np
import pandas as pd


def cohort(seed: int = 61) -> pd.DataFrame:
    """Simulate EFS <= PFS <= OS with a treatment, bulky disease, stage and six salvage regimens."""
    generator = np.random.default_rng(seed)
    treated = np.repeat([1, 0], [27, 34])
    bulky = generator.binomial(1, 0.35, 61)
    death = generator.exponential(9 * np.exp(-0.4 * treated - 0.5 * bulky))
    progression = death * generator.uniform(0.4, 1, 61)
    failure = progression * generator.uniform(0.5, 1, 61)
    censoring = generator.uniform(3, 40, 61)
    frame = pd.DataFrame({"cti2": treated, "bulky": bulky})
    frame["stage"] = generator.choice(["I", "II", "III", "IV"], 61, p=[0.03, 0.04, 0.33, 0.6])
    regimens = ["radiotherapy", "chemotherapy", "targeted", "polatuzumab", "transplant"]
    frame["salvage"] = np.where(treated == 1, "CTI2", generator.choice(regimens, 61))
    for name, time in {"efs": failure, "pfs": progression, "os": death}.items():
        frame[f"{name}_months"] = np.minimum(time, censoring).round(2) + 0.05
        frame[f"{name}_event"] = (time <= censoring).astype(int)
    return frame
