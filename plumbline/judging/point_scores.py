"""From the finding on each key point to a score on the scale. Pure."""

from collections.abc import Sequence

from plumbline.rows.finding import Finding

STEPS = 4
"""The scale has the steps 0, 1/4, 2/4, 3/4 and 1."""


def share_score(findings: Sequence[Finding]) -> float:
    """The share of stated key points minus the share of contradicted ones, never below 0, rounded down to the scale.

    So 1 means that all are stated, and an answer never gets more than it has earned. ValueError without key points.
    """
    if not findings:
        raise ValueError("There are no key points. Judge such an answer on the five steps.")
    net = findings.count(Finding.STATED) - findings.count(Finding.CONTRADICTED)
    return max(net, 0) * STEPS // len(findings) / STEPS
