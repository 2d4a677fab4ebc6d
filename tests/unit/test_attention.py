"""Documents laid side by side, padded, attend as each does alone: output and gradients."""

from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, MistralConfig

from plumbline.training.attention import PER_DOCUMENT, _attend_padded, attend_per_document


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


@pytest.mark.parametrize("window", [1, 3, 8])
def test_a_sliding_window_is_that_of_the_models_own_attention(window: int) -> None:
    """One packed row of three documents against each document alone through transformers' sdpa with its own mask."""
    torch.manual_seed(0)
    config = MistralConfig(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        sliding_window=window,
    )
    model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").eval()
    documents = [torch.randint(0, 50, (1, length)) for length in (7, 2, 11)]
    with torch.inference_mode():
        expected = torch.cat([model(input_ids=ids).logits for ids in documents], dim=1)
        model.set_attn_implementation(PER_DOCUMENT)
        packed = model(
            input_ids=torch.cat(documents, dim=1),
            position_ids=torch.cat([torch.arange(ids.shape[1]) for ids in documents])[None],
            cu_seq_lens_q=torch.tensor([0, 7, 9, 20], dtype=torch.int32),
            cu_seq_lens_k=torch.tensor([0, 7, 9, 20], dtype=torch.int32),
            max_length_q=11,
            max_length_k=11,
        ).logits
    torch.testing.assert_close(packed, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("extra", [{"softcap": 50.0}, {"s_aux": torch.zeros(4)}])
def test_attention_that_would_be_left_out_is_refused(extra: dict[str, Any]) -> None:
    states = torch.randn(1, 4, 6, 8)
    with pytest.raises(RuntimeError, match=r"soft cap or sinks.*train\.packing"):
        attend_per_document(torch.nn.Identity(), states, states, states, None, cu_seq_lens_q=torch.tensor([0, 6]), **extra)


def test_dropout_of_the_model_reaches_every_document() -> None:
    """GPT-2's own configuration has it."""
    torch.manual_seed(0)
    states = torch.randn(1, 4, 6, 8)
    boundaries = torch.tensor([0, 2, 6])
    whole, _ = attend_per_document(torch.nn.Identity(), states, states, states, None, cu_seq_lens_q=boundaries)
    dropped, _ = attend_per_document(torch.nn.Identity(), states, states, states, None, cu_seq_lens_q=boundaries, dropout=0.5)
    assert not torch.allclose(whole[:, :2], dropped[:, :2]) and not torch.allclose(whole[:, 2:], dropped[:, 2:])
