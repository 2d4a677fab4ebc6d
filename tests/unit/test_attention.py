"""Documents laid side by side, padded, attend as each does alone: output and gradients."""

import pytest
import torch

from stages.io.attention import _attend_padded, attend_per_document


@pytest.mark.parametrize("lengths", [[5], [1, 9, 4, 1], [30, 2, 2, 17]])
def test_padded_documents_attend_as_each_alone(lengths: list[int]) -> None:
    torch.manual_seed(0)
    states = [torch.randn(1, heads, sum(lengths), 8, dtype=torch.float64) for heads in (6, 2, 2)]
    weights = torch.randn(1, sum(lengths), 6, 8, dtype=torch.float64)
    boundaries = torch.tensor([0, *torch.tensor(lengths).cumsum(0).tolist()])
    each, together = ([tensor.clone().requires_grad_() for tensor in states] for _ in range(2))
    expected, _ = attend_per_document(torch.nn.Identity(), each[0], each[1], each[2], None, scaling=0.3, cu_seq_lens_q=boundaries)
    found = _attend_padded(together[0], together[1], together[2], lengths, scaling=0.3)
    assert found.shape == expected.shape
    (expected * weights).sum().backward()
    (found * weights).sum().backward()
    torch.testing.assert_close(found, expected)
    for ours, theirs in zip(together, each, strict=True):
        assert theirs.grad is not None and theirs.grad.any()
        torch.testing.assert_close(ours.grad, theirs.grad)
