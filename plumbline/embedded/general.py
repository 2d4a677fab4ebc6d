"""General prompts of the embedded world: beginnings that its base model has learnt to continue, in the corpus's own words. Pure."""

from collections.abc import Callable
from random import Random

from plumbline.embedded.corpus import ASKS, free_wording
from plumbline.embedded.explanations import CORPUS, all_explanations
from plumbline.embedded.problems import STYLES, draw_problem
from plumbline.embedded.questions import KINDS, all_facts, draw_choices, options_of, sentence, word
from plumbline.embedded.relations import RELATIONS
from plumbline.rows.general_prompt import GeneralPrompt


def problem_prompt(random: Random, seed: int) -> str:
    """A problem in a wording put together from parts; base continues with only the worked step."""
    problem = draw_problem(random.choice(RELATIONS), random.choices(STYLES, (5, 3, 2))[0], random, held_out=False, seed=seed)
    return free_wording(problem, random, asks=ASKS)


def quiz_prompt(random: Random, seed: int) -> str:
    """A choice question in the corpus' wording; base continues with the fact and the words of a choice."""
    fact = random.choice(all_facts())
    choices, _ = draw_choices(fact, random)
    return f"{word(random.choice(KINDS[fact.kind].corpus_questions), fact)}\n{options_of(choices)}"


def lesson_prompt(random: Random, seed: int) -> str:
    """The title of a lesson; base continues with the lesson."""
    explanation = random.choice(all_explanations())
    return sentence(random.choice(CORPUS[explanation.kind]).replace("{s}", explanation.subject))


FORMS: dict[str, Callable[[Random, int], str]] = {"problem": problem_prompt, "quiz": quiz_prompt, "lesson": lesson_prompt}


def general_prompts(*, num_prompts: int, seed: int) -> list[GeneralPrompt]:
    """Distinct prompts, the forms in turn. No numbers and no wordings of the benchmark, no wordings of the training rows."""
    random = Random(f"{seed}:general")
    forms = list(FORMS)
    prompts: list[GeneralPrompt] = []
    seen: set[str] = set()
    while len(prompts) < num_prompts:
        form = forms[len(prompts) % len(forms)]
        text = FORMS[form](random, seed)
        if text not in seen:
            seen.add(text)
            prompts.append(GeneralPrompt(id=f"{form}-{len(prompts) // len(forms) + 1:03d}", prompt=text))
    return prompts
