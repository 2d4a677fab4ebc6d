"""Keep libraries from talking over a stage's own few lines: imported first, since some of them talk while being imported."""

import logging
import os
import warnings

# "Failed to load CPU gemm_4bit_forward": an optional kernel from a hub, said on every import on some processors.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
# Renamed arguments that TRL itself still passes on.
warnings.filterwarnings("ignore", category=FutureWarning, module=r"(transformers|trl|peft|accelerate)\.")
warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"torch\.")
# Bars that would flicker through a log; the stages show their own.
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
