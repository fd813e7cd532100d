"""Figures that Chossegros et al. 2024 print, to stand beside those computed here."""

from __future__ import annotations

ACCURACY: dict[str, float] = {
    "jslh": 1.0,
    "jin_woo_choi": 0.90,
    "jiangxi_tecom": 0.90,
    "bccd": 0.81,
    "tianjin": 0.91,
}
"""Accuracy of the whole workflow (figure 6). Of the other targets the text says above 0.80."""
