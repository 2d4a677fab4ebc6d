"""Read the user's own rows and questions as the stages will, before a run begins. Reads the named files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plumbline.cleaning.recognition import recognised
from plumbline.pipeline.params import section_of
from plumbline.splitting.benchmark import read_benchmark
from stages.clean import CleanParams
from stages.split import SplitParams


def check_own_data(params: Mapping[str, Any], given: Mapping[str, Path]) -> None:
    """Refused, in the words of the stages, if no reader knows the rows, or if a question cannot be asked.

    `params`: those of the run; `given`: parameter -> file. Of the rows only the beginning is read.
    """
    if (rows := given.get("clean.source")) is not None:
        recognised(rows, section_of(params, "clean", CleanParams).policy())
    if (questions := given.get("split.benchmark")) is not None:
        split = section_of(params, "split", SplitParams)
        read_benchmark(questions, format_name=split.benchmark_format, columns=split.benchmark_columns)
