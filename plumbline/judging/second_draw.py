"""Which questions a second judge sees. Pure."""

from plumbline.hash_place import place_of


def is_judged_twice(question_id: str, *, share: float) -> bool:
    """Whether the answers to a question also go to the second judge. A hash of its id decides, so it is the same in every arm.

    Each answer has the probability `share`. All answers to a question go together: a difference of two arms needs both.
    """
    return place_of(f"second judge:{question_id}") < share
