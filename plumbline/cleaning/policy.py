"""What params.yaml says about rows, and what was recognised about their file. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from plumbline.cleaning.codes import Action, Rule
from plumbline.cleaning.row_columns import FORMATS, Columns
from plumbline.cleaning.source_format import JSON_LINES, SourceFormat


@dataclass(frozen=True)
class Policy:
    """What params.yaml says about rows."""

    shape: str
    """`clean.format`: which keys a row has, unless `recognised` names them."""
    actions: Mapping[Rule, Action]
    min_output_characters: int
    max_output_characters: int
    standardize: bool = True
    """False: every text stays unchanged; the quality rules still apply."""
    trained_turns: str = "all"
    """`last`: of a conversation only the last answer is trained; the earlier ones are shown."""
    recognised: Columns | None = None
    """The keys that were recognised in the rows of the file."""
    given: Columns | None = None
    """`clean.columns`: the keys that the user names."""
    source: SourceFormat = JSON_LINES
    """How the file holds the rows."""

    @property
    def columns(self) -> Columns:
        """Which key of a row plays which part."""
        return self.recognised or FORMATS[self.shape]

    @property
    def active(self) -> frozenset[Rule]:
        """Rules that are not switched off."""
        return frozenset(rule for rule, action in self.actions.items() if action is not Action.OFF)
