"""The stages. A stage takes no option, and would take `--help` for nothing and run: it is answered here, before the stage is imported."""

import sys

if sys.argv[0] == "-m" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.stdout.write(
        "A stage is run by DVC: `dvc repro STAGE`. dvc.yaml says what each one reads and writes, params.yaml what it is set to.\n"
    )
    sys.exit(0)
