"""Which questions a second judge sees. Pure."""

from plumbline.hash_place import place_of


def is_judged_twice(question_id: str, *, share: float) -> bool:
    """Whether the answers to a question go to the second judge as well: by a hash of its id, so in every arm alike and whatever was said of them.

    Of one answer the probability is `share`. A question goes whole: the difference of two arms needs both of its answers.
    """
    return place_of(f"second judge:{question_id}") < share
