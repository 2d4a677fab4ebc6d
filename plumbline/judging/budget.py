"""Hold the judge to its cost cap before money is spent, not after. Pure."""

from dataclasses import dataclass, field

from plumbline.judging.prices import largest_cost_usd, usage_cost_usd


class OverBudgetError(Exception):
    """The next call could pass the cap."""


@dataclass
class Budget:
    """What was spent, and what the calls in flight may still cost at most."""

    model: str
    cap_usd: float | None
    """None: no cap."""
    spent_usd: float | None = 0.0
    """None once a reply's cost is unknown."""
    section: str = "judge"
    """Of params.yaml, with the cap."""
    _reserved_usd: dict[str, float] = field(default_factory=dict)
    _all_reserved_usd: float = 0.0
    """Their sum, kept: adding up 10^5 calls in flight again for each further one takes minutes."""

    def count(self, usage: dict[str, object]) -> None:
        """Add a reply, paid now or in an earlier run."""
        cost = usage_cost_usd(usage, self.model)
        self.spent_usd = None if self.spent_usd is None or cost is None else self.spent_usd + cost

    def reserve(self, key: str, *, num_characters: int, max_tokens: int, batch: bool) -> None:
        """Set the most a call can cost aside until `release`. OverBudgetError, and nothing set aside, if the cap could be passed."""
        if self.cap_usd is None:
            return
        self.release(key)
        most = largest_cost_usd(self.model, num_characters=num_characters, max_tokens=max_tokens, batch=batch)
        if most is None or self.spent_usd is None:
            raise OverBudgetError(
                f"{self.section}.max_cost_usd is set, but the price of {self.model} is unknown (plumbline/judging/prices.py): "
                f"add it there, or set {self.section}.max_cost_usd to null."
            )
        if self.spent_usd + self._all_reserved_usd + most > self.cap_usd:
            raise OverBudgetError(
                f"{self.section}.max_cost_usd of {self.cap_usd:g} USD could be passed: {self.spent_usd:.4f} USD spent, the next call costs at most "
                f"{most:.4f} USD. Raise it to go on; nothing is paid twice."
            )
        self._reserved_usd[key] = most
        self._all_reserved_usd += most

    def release(self, key: str) -> None:
        """The call has ended."""
        self._all_reserved_usd -= self._reserved_usd.pop(key, 0.0)
        if not self._reserved_usd:
            self._all_reserved_usd = 0.0  # and no rounding is carried on

    def release_all(self) -> None:
        """No call is in flight."""
        self._reserved_usd.clear()
        self._all_reserved_usd = 0.0
