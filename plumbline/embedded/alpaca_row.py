"""One row of an instruction data set as people publish them, faults included."""

from plumbline.pipeline.record import Record


class AlpacaRow(Record):
    """Written by `synthesize`; `clean` reads its input line by line, for a foreign line may be no row at all."""

    instruction: str
    input: str
    output: str
