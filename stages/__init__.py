"""The stages. A stage takes no options: it would ignore `--help` and run. So `--help` is answered here, before the stage is imported.

A signal stops every stage in the same way. No stage depends on this file: it changes no output.
"""

import sys

if sys.argv[0] == "-m":  # `python -m stages.NAME`; not in a test or a launcher, which imports a stage
    if {"-h", "--help"} & set(sys.argv[1:]):
        sys.stdout.write(
            "DVC runs a stage: `dvc repro STAGE`. dvc.yaml says what each stage reads and writes; params.yaml holds its parameters.\n"
        )
        sys.exit(0)
    from plumbline.screen import assume_a_size
    from plumbline.stopping import stop_on_signals

    assume_a_size()
    stop_on_signals()
