"""Settings that libraries read while they are imported, so this module is imported first.

They keep libraries from printing between a stage's own few lines, and from wasting the other processor while they wait.
"""

import gc
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
# Threads that have done their share of a step sleep until the next. By default they spin: on two processors with other work,
# training steps then took up to 20 times as long; without other work they took as long as now (docs/experiments.md). Results are the same.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Loading thousands of modules makes no garbage, and looking for it after every 700 objects took a sixth of the start.
gc.set_threshold(50_000, 10, 10)
