"""Earlier exchanges appear whole in a prompt, or the chat template is refused."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from plumbline.model.assistant_turn import as_messages
from plumbline.pipeline.refused import Refused
from plumbline.rows.context import ContextTurn
from plumbline.thinking import spoken

if TYPE_CHECKING:  # questions are read and refused before transformers is loaded
    from transformers import PreTrainedTokenizerBase

REMEDY = "Give the arm a context without examples, or name another template in base.chat_template and run `dvc repro`."


class TurnsRefused(Refused):
    """The chat template cannot show the examples of an arm."""


def refuse_lost_turns(tokenizer: "PreTrainedTokenizerBase", all_turns: Iterable[Sequence[ContextTurn]]) -> None:
    """TurnsRefused if the chat template refuses earlier exchanges, or leaves out a part of them that is not thinking.

    Many templates remove the thinking of earlier turns on purpose: the model has never seen it there.
    """
    from jinja2.exceptions import TemplateError  # loaded with transformers, and not while questions are read

    for turns in dict.fromkeys(tuple(turns) for turns in all_turns if turns):
        try:
            text: Any = tokenizer.apply_chat_template(as_messages(turns, "?"), tokenize=False, add_generation_prompt=True)
        except TemplateError as error:
            raise TurnsRefused(f"The chat template of the base refuses a conversation of several turns ({error}). {REMEDY}") from error
        place = 0
        for said in (said for turn in turns for said in (turn.user, turn.assistant)):
            forms = dict.fromkeys((said.strip(), spoken(said).text.strip()))
            at, form = next(((at, form) for form in forms if (at := text.find(form, place)) >= 0), (-1, ""))
            if at < 0:
                raise TurnsRefused(f"The chat template of the base leaves out text of an earlier turn ({said[:60]!r}). {REMEDY}")
            place = at + len(form)
