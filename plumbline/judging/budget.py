"""Keep the judge within its cost cap, before money is spent. Pure."""

from dataclasses import dataclass, field

from plumbline.judging.prices import largest_cost_usd, usage_cost_usd


class OverBudgetError(Exception):
    """The next call could pass the cap."""


@dataclass
class Budget:
    """The money spent, and the most that the calls in flight can still cost."""

    model: str
    cap_usd: float | None
    """None means no cap."""
    spent_usd: float | None = 0.0
    """None if the cost of any reply is unknown."""
    section: str = "judge"
    """The section of params.yaml that holds the cap."""
    _reserved_usd: dict[str, float] = field(default_factory=dict)
    _all_reserved_usd: float = 0.0
    """Their sum, updated at each change: adding up 10^5 calls in flight for each new call would take minutes."""

    def count(self, usage: dict[str, object]) -> None:
        """Add a reply, paid now or in an earlier run."""
        cost = usage_cost_usd(usage, self.model)
        self.spent_usd = None if self.spent_usd is None or cost is None else self.spent_usd + cost

    def reserve(self, key: str, *, num_characters: int, max_tokens: int, batch: bool) -> None:
        """Set aside the most that a call can cost, until `release`. If it could pass the cap, set nothing aside: OverBudgetError."""
        if self.cap_usd is None:
            return
        self.release(key)
        most = largest_cost_usd(self.model, num_characters=num_characters, max_tokens=max_tokens, batch=batch)
        if most is None or self.spent_usd is None:
            raise OverBudgetError(
                f"{self.section}.max_cost_usd is set, but the price of {self.model} is unknown. "
                f"Add it in plumbline/judging/prices.py, or set {self.section}.max_cost_usd to null."
            )
        if self.spent_usd + self._all_reserved_usd + most > self.cap_usd:
            raise OverBudgetError(
                f"the next call could pass {self.section}.max_cost_usd of {self.cap_usd:g} USD: {self.spent_usd:.4f} USD are spent, and it "
                f"costs at most {most:.4f} USD. Raise {self.section}.max_cost_usd to go on; nothing is paid twice."
            )
        self._reserved_usd[key] = most
        self._all_reserved_usd += most

    def release(self, key: str) -> None:
        """Free what was set aside for a call, since it has ended."""
        self._all_reserved_usd -= self._reserved_usd.pop(key, 0.0)
        if not self._reserved_usd:
            self._all_reserved_usd = 0.0  # rounding errors do not add up

    def release_all(self) -> None:
        """Free everything, since no call is in flight."""
        self._reserved_usd.clear()
        self._all_reserved_usd = 0.0
