"""Chat templates as their makers ship them, each with a small tokenizer that has the family's control tokens.

Templates come from the folder of the pinned TRL, which copies them from the models' repositories. Those that TRL does not ship are written
here after the models' cards: SmolLM2, Mistral v0.3, Mixtral, OLMo 2, Granite 3.
"""

from dataclasses import dataclass, field
from pathlib import Path

import trl
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from tests.fakes import tiny_hub

TRL_TEMPLATES = Path(trl.__file__).parent / "chat_templates"
TEXT = ["What is the unit of force? Answer: newton.", "Explanation: F = m a = 3 x 4 = 12 N", "energy momentum 0123456789", "Yes. no"]
CHATML = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LLAMA = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|python_tag|>",
    "<pad>",
)
GEMMA = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>")
GEMMA4 = ("<pad>", "<eos>", "<bos>", "<unk>", "<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|think|>", "<|tool>", "<tool|>")
PHI = ("<unk>", "<s>", "<|endoftext|>", "<|assistant|>", "<|system|>", "<|end|>", "<|user|>")
GPT_OSS = (
    "<|startoftext|>",
    "<|endoftext|>",
    "<|return|>",
    "<|constrain|>",
    "<|channel|>",
    "<|start|>",
    "<|end|>",
    "<|message|>",
    "<|call|>",
)
COHERE = (
    "<PAD>",
    "<BOS_TOKEN>",
    "<|START_OF_TURN_TOKEN|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|USER_TOKEN|>",
    "<|CHATBOT_TOKEN|>",
    "<|SYSTEM_TOKEN|>",
)
GLM = ("<|endoftext|>", "[MASK]", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>")
LFM = ("<|pad|>", "<|startoftext|>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|tool_list_start|>", "<|tool_list_end|>")
DEEPSEEK = ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>")
THINK = ("<think>", "</think>")

SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful AI assistant "
    "named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' "
    "+ '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
OLMO2 = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'system' %}{{ '<|system|>\n' + message['content'] + '\n' }}"
    "{% elif message['role'] == 'user' %}{{ '<|user|>\n' + message['content'] + '\n' }}{% elif message['role'] == 'assistant' %}"
    "{% if not loop.last %}{{ '<|assistant|>\n'  + message['content'] + eos_token + '\n' }}{% else %}{{ '<|assistant|>\n'  + message['content'] "
    "+ eos_token }}{% endif %}{% endif %}{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}{% endfor %}"
)
GRANITE = (
    "{%- if messages[0]['role'] == 'system' %}{%- set system_message = messages[0]['content'] %}{%- set loop_messages = messages[1:] %}"
    "{%- else %}{%- set system_message = \"Knowledge Cutoff Date: April 2024.\nToday's Date: \" + strftime_now('%B %d, %Y') + \".\nYou are Granite, "
    'developed by IBM." %}{%- if thinking %}{%- set system_message = system_message + " Think before you answer." %}{%- endif %}'
    "{%- set loop_messages = messages %}{%- endif %}{{- '<|start_of_role|>system<|end_of_role|>' + system_message + '<|end_of_text|>\n' }}"
    "{%- for message in loop_messages %}{{- '<|start_of_role|>' + message['role'] + '<|end_of_role|>' + message['content'] + '<|end_of_text|>\n' }}"
    "{%- if loop.last and add_generation_prompt %}{{- '<|start_of_role|>assistant<|end_of_role|>' }}{%- endif %}{%- endfor %}"
)
MIXTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}"
)


@dataclass(frozen=True, kw_only=True)
class ChatFamily:
    """A template with the parts of its tokenizer and generation config that belong to it."""

    template: str
    """The text, or the name of one of TRL's files."""
    controls: tuple[str, ...]
    """Special tokens."""
    texts: tuple[str, ...] = ()
    """Added tokens that are text."""
    bos: str | None
    eos: str
    pad: str | None
    stops: tuple[str, ...] = field(default=())
    """`eos_token_id` of the generation config, as tokens."""
    ends_with: str
    """Token that ends an assistant's turn."""
    knows_its_template: bool = False
    """The tokenizer has words of the template, as a real one has, and not only its letters: for a template that writes a long text."""

    @property
    def text(self) -> str:
        if "{" in self.template:
            return self.template
        return (TRL_TEMPLATES / f"{self.template}.jinja").read_text(encoding="utf-8")

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """Byte-level BPE over a few sentences, with this family's control tokens and template."""
        inner = Tokenizer(models.BPE())
        inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        inner.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        known, vocab_size = ([*TEXT, self.text], 1000) if self.knows_its_template else (TEXT, 360)
        inner.train_from_iterator(known, trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False))
        inner.add_special_tokens([AddedToken(token, special=True) for token in self.controls])
        inner.add_tokens([AddedToken(token, special=False, normalized=False) for token in self.texts])
        named = {"bos_token": self.bos, "eos_token": self.eos, "pad_token": self.pad}
        return PreTrainedTokenizerFast(
            tokenizer_object=inner, chat_template=self.text, **{name: token for name, token in named.items() if token is not None}
        )


def chatml(template: str, **changes: object) -> ChatFamily:
    """Qwen's way: no BOS, a line break after the end of a turn, another end for documents."""
    return ChatFamily(
        **{
            "template": template,
            "controls": CHATML,
            "bos": None,
            "eos": "<|im_end|>",
            "pad": "<|endoftext|>",
            "stops": ("<|im_end|>", "<|endoftext|>"),
            "ends_with": "<|im_end|>",
            **changes,
        }  # type: ignore[arg-type]
    )


def llama(template: str) -> ChatFamily:
    stops = ("<|end_of_text|>", "<|eom_id|>", "<|eot_id|>")
    return ChatFamily(
        template=template, controls=LLAMA, bos="<|begin_of_text|>", eos="<|eot_id|>", pad=None, stops=stops, ends_with="<|eot_id|>"
    )


def gemma(template: str) -> ChatFamily:
    """The tokenizer's eos is another token than the end of a turn; runs of line breaks and HTML tags are added tokens."""
    return ChatFamily(
        template=template,
        controls=GEMMA,
        texts=("\n\n", "\n\n\n", "<table>", "<h1>"),
        bos="<bos>",
        eos="<eos>",
        pad="<pad>",
        stops=("<eos>", "<end_of_turn>"),
        ends_with="<end_of_turn>",
    )


def phi(template: str) -> ChatFamily:
    """A BOS that the template does not write, and two tokens after an answer."""
    stops = ("<|endoftext|>", "<|assistant|>", "<|end|>")
    return ChatFamily(
        template=template, controls=PHI, bos="<s>", eos="<|endoftext|>", pad="<|endoftext|>", stops=stops, ends_with="<|end|>"
    )


def mistral(template: str) -> ChatFamily:
    return ChatFamily(
        template=template,
        controls=("<unk>", "<s>", "</s>", "[INST]", "[/INST]"),
        bos="<s>",
        eos="</s>",
        pad=None,
        stops=("</s>",),
        ends_with="</s>",
    )


def cohere(template: str) -> ChatFamily:
    return ChatFamily(
        template=template,
        controls=(*COHERE, "<|START_RESPONSE|>", "<|END_RESPONSE|>"),
        bos="<BOS_TOKEN>",
        eos="<|END_OF_TURN_TOKEN|>",
        pad="<PAD>",
        stops=("<|END_OF_TURN_TOKEN|>",),
        ends_with="<|END_RESPONSE|>" if template == "cohere2" else "<|END_OF_TURN_TOKEN|>",
        knows_its_template=template == "cohere2",
    )


def lfm2(template: str) -> ChatFamily:
    return ChatFamily(
        template=template,
        controls=LFM,
        bos="<|startoftext|>",
        eos="<|im_end|>",
        pad="<|pad|>",
        stops=("<|im_end|>",),
        ends_with="<|im_end|>",
    )


FAMILIES: dict[str, ChatFamily] = {
    "smollm2": chatml(SMOLLM2, bos="<|im_start|>", pad="<|im_end|>", stops=("<|im_end|>",)),
    **{name: chatml(name) for name in ("qwen2_5", "qwen3_instruct_2507")},
    **{name: chatml(name, texts=THINK) for name in ("qwen3", "qwen3_5_think", "qwen3_5_nothink", "qwen3_6", "qwen3_8")},
    **{name: llama(name) for name in ("llama3", "llama3_1", "llama3_2")},
    **{name: gemma(name) for name in ("gemma", "gemma3")},
    "mistral_v0_3": mistral(tiny_hub.TEMPLATE),
    "mixtral": mistral(MIXTRAL),
    **{name: phi(name) for name in ("phi3", "phi3_5")},
    "olmo2": ChatFamily(
        template=OLMO2,
        controls=("<|endoftext|>", "<|pad|>"),
        texts=("  ", "   ", "    "),
        bos="<|endoftext|>",
        eos="<|endoftext|>",
        pad="<|pad|>",
        stops=("<|endoftext|>",),
        ends_with="<|endoftext|>",
    ),
    "granite": ChatFamily(
        template=GRANITE,
        controls=("<|end_of_text|>", "<|start_of_role|>", "<|end_of_role|>"),
        bos="<|end_of_text|>",
        eos="<|end_of_text|>",
        pad="<|end_of_text|>",
        stops=("<|end_of_text|>",),
        ends_with="<|end_of_text|>",
    ),
    "glm4moe": ChatFamily(
        template="glm4moe",
        controls=GLM,
        texts=THINK,
        bos=None,
        eos="<|endoftext|>",
        pad="<|endoftext|>",
        stops=("<|endoftext|>", "<|user|>", "<|observation|>"),
        ends_with="<|endoftext|>",
    ),
    "gptoss": ChatFamily(
        template="gptoss",
        controls=GPT_OSS,
        bos="<|startoftext|>",
        eos="<|return|>",
        pad="<|endoftext|>",
        stops=("<|return|>", "<|endoftext|>", "<|call|>"),
        ends_with="<|return|>",
    ),
    "gemma4": ChatFamily(
        template="gemma4_v5",
        controls=GEMMA4,
        texts=("\n\n",),
        bos="<bos>",
        eos="<eos>",
        pad="<pad>",
        stops=("<eos>", "<turn|>"),
        ends_with="<turn|>",
    ),
    **{name: cohere(name) for name in ("cohere", "cohere2")},
    **{name: lfm2(name) for name in ("lfm2", "lfm2_v2", "lfm2_2_5")},
}
"""Families with models that can be trained and asked, by name."""
REFUSED: dict[str, ChatFamily] = {
    name: ChatFamily(
        template=name,
        controls=DEEPSEEK,
        texts=THINK,
        bos="<｜begin▁of▁sentence｜>",
        eos="<｜end▁of▁sentence｜>",
        pad="<｜end▁of▁sentence｜>",
        stops=("<｜end▁of▁sentence｜>",),
        ends_with="<｜end▁of▁sentence｜>",
    )
    for name in ("deepseekv3", "deepseek_r1_distill")
} | {"nemotron_3_nano": chatml("nemotron_3_nano", texts=THINK)}
"""Families with a template that writes another prompt in training than in answering."""
