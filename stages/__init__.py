"""The stages. A stage takes no option, and would take `--help` for nothing and run: it is answered here, before the stage is imported.

A signal stops every stage in the same way. No stage depends on this file: it changes no output.
"""

import sys

if sys.argv[0] == "-m":  # `python -m stages.NAME`; not in a test or a launcher, which imports a stage
    if {"-h", "--help"} & set(sys.argv[1:]):
        sys.stdout.write(
            "A stage is run by DVC: `dvc repro STAGE`. dvc.yaml says what each one reads and writes, params.yaml what it is set to.\n"
        )
        sys.exit(0)
    from plumbline.screen import assume_a_size
    from plumbline.stopping import stop_on_signals

    assume_a_size()
    stop_on_signals()
