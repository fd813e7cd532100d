"""Cells a class in the full datasets, to hold a download against."""

from __future__ import annotations

# Table 2 of Chossegros et al. 2024. Exceptions: Jiangxi Tecom has the counts of the dataset's own
# README, since the paper exchanges lymphocytes and monocytes; the cropped BCCD is not in the table.
PUBLISHED_COUNTS: dict[str, dict[str, int]] = {
    "munich_2021": {
        "basophil": 441,
        "eosinophil": 5891,
        "erythroblast": 27395,
        "lymphocyte": 26307,
        "monocyte": 4040,
        "neutrophil": 39392,
    },
    "raabin": {
        "basophil": 301,
        "eosinophil": 1066,
        "lymphocyte": 3609,
        "monocyte": 795,
        "neutrophil": 10862,
    },
    "munich_2019": {
        "basophil": 79,
        "eosinophil": 424,
        "erythroblast": 78,
        "lymphocyte": 3948,
        "monocyte": 1789,
        "neutrophil": 8593,
    },
    "lisc": {
        "basophil": 53,
        "eosinophil": 39,
        "lymphocyte": 52,
        "monocyte": 48,
        "neutrophil": 50,
    },
    "jslh": {"erythroblast": 56, "neutrophil": 24},
    "jin_woo_choi": {"erythroblast": 150, "neutrophil": 100},
    "jiangxi_tecom": {
        "basophil": 1,
        "eosinophil": 22,
        "lymphocyte": 53,
        "monocyte": 48,
        "neutrophil": 176,
    },
    "bccd": {"eosinophil": 3133, "lymphocyte": 3108, "monocyte": 3095, "neutrophil": 3171},
    "bccd_cropped": {
        "basophil": 3,
        "eosinophil": 88,
        "lymphocyte": 33,
        "monocyte": 20,
        "neutrophil": 207,
    },
    "tianjin": {
        "basophil": 302,
        "eosinophil": 1098,
        "lymphocyte": 1863,
        "monocyte": 1201,
        "neutrophil": 4100,
    },
    "barcelona": {
        "basophil": 1218,
        "eosinophil": 3117,
        "erythroblast": 1551,
        "lymphocyte": 1214,
        "monocyte": 1420,
        "neutrophil": 3329,
    },
}
